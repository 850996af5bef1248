"""Why the version that answers the calls that name none is that one, in a sentence for people. Pure: see its tests."""

from core.artifact.repository import CHAMPION
from service.loaded import Loaded, label
from service.texts import shortened
from service.versions.next_steps import PROMOTE_COMMAND, PUBLISH_COMMAND
from service.versions.policy import resolve
from service.versions.routes import Routes
from service.wire import in_words
from service.wishes import LATEST, PINNED, PRETRAINED_NUMBER, Share

__all__ = ["why"]


def why(routes: Routes, canary: Share | None = None, trouble: str = "") -> str:
    """Why calls that name no version are answered by the one that answers them, or by none.

    Args:
        routes: Which version answers which call.
        canary: The share of these calls that another version answers.
        trouble: Why the repository cannot be followed now; "" if it can.
    """
    active = None if routes.closed else routes.unnamed
    if active is None:
        return shortened(_why_none(routes, trouble))
    gone = active.number not in routes.known and active.number != PRETRAINED_NUMBER
    if gone and trouble:  # what the repository seems to show is no reason then
        return shortened(f"{active.words} goes on answering from memory: {trouble}")
    sentence = _why_this(routes, active)
    if gone:
        sentence += "; it is no longer in the repository, and answers from memory"
    other = routes.named.get(canary.name) if canary else None
    if canary and other and other is not active and active.number != routes.pinned:
        sentence += f"; {100 * canary.fraction:.3g}% of these calls go to {other.words} instead, the canary"
    if trouble:
        sentence += f"; whether that has changed is not known: {trouble}"
    return shortened(sentence)


def _why_this(routes: Routes, active: Loaded) -> str:
    policy, wanted = routes.policy, _wanted(routes)
    if routes.pinned is not None:
        if active.number == routes.pinned:
            return f"an administrator has pinned {active.words}: it answers, whatever the policy {policy} says"
        return _stand_in(routes, active, routes.pinned, f"{_words(routes.pinned)}, which an administrator has pinned")
    if policy.startswith(PINNED) and active.number == wanted:
        return f"the policy of this server, {policy}, is to serve {active.words} always"
    if policy == LATEST and active.number == wanted:
        return f"{active.words} is the newest, and the policy of this server, {policy}, is to serve the newest"
    if policy == CHAMPION and active.number == wanted:
        return f"{active.words} is the champion, and the policy of this server is to serve the champion"
    if active.number == wanted:
        return f"the alias {policy} names {active.words}, and the policy of this server is to serve what it names"
    if wanted is not None:
        return _stand_in(routes, active, wanted, _title(policy, wanted))
    if active.number != PRETRAINED_NUMBER:
        return f"the repository names no {policy} any more, and {active.words}, which was it, goes on"
    meanwhile = "the version that ships with Numeral answers"
    if routes.known:
        return f"{meanwhile}, as {_none_promoted(routes)}"
    return f"{meanwhile}, as no version is published yet; publish one with: {PUBLISH_COMMAND}"


def _stand_in(routes: Routes, active: Loaded, wanted: int, title: str) -> str:
    """Why another version answers than the one that is wanted."""
    if wanted in routes.reasons:
        return f"{active.words} answers because {title}, cannot: {routes.reasons[wanted]}"
    if wanted not in routes.known and wanted != PRETRAINED_NUMBER:
        return f"{active.words} answers because {title}, is not in the repository"
    return f"{active.words} answers until {title}, is loaded"


def _why_none(routes: Routes, trouble: str) -> str:
    if routes.closed:
        return f"no version answers: {routes.closed}"
    if routes.loading is not None:
        return f"no version answers yet: {_words(routes.loading)} is being loaded"
    if trouble:
        return f"no version answers yet, and what is published is not known: {trouble}"
    if not routes.known and not routes.reasons:
        return f"no version answers yet, as none is published in {routes.url}; publish one with: {PUBLISH_COMMAND}"
    wanted = _wanted(routes)
    if wanted is None:
        return f"no version answers, as {_none_promoted(routes)}"
    title = _title(routes.policy, wanted)
    if wanted in routes.reasons:
        return f"no version answers: {title}, cannot, and no other can stand in for it: {routes.reasons[wanted]}"
    if wanted not in routes.known:
        return f"no version answers: {title}, is not in the repository"
    return f"no version answers until {title}, is loaded"


def _wanted(routes: Routes) -> int | None:
    """The version that the policy stands for, whether it can be served or not; None if there is none."""
    return resolve(routes.policy, routes.known, routes.aliases)


def _title(policy: str, number: int) -> str:
    if policy.startswith(PINNED):
        return f"{_words(number)}, which the policy {policy} names"
    return f"the {'newest' if policy == LATEST else policy}, {_words(number)}"


def _none_promoted(routes: Routes) -> str:
    count = len(routes.known)
    which = "the only published version is not" if count == 1 else f"none of the {count:,} published versions is"
    option = "" if routes.policy == CHAMPION else f" --alias {routes.policy}"
    return f"{which} the {routes.policy} yet; promote one with: {PROMOTE_COMMAND} VERSION{option}"


def _words(number: int) -> str:
    return in_words(label(number))
