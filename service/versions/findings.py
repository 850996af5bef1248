"""What the log says about the versions that are followed: which serve, and what keeps others from serving."""

import logging
from collections.abc import Mapping

from core.artifact.repository import CHAMPION
from service.loaded import Loaded, label
from service.telemetry.once import Once
from service.versions.actions import Serve, Stay, Versions, decide
from service.versions.next_steps import PROMOTE_COMMAND, PUBLISH_COMMAND
from service.versions.storage import Storage
from service.versions.store import Store
from service.wire import in_words
from service.wishes import LATEST, PRETRAINED_NUMBER, UNNAMED

__all__ = ["Findings"]

MOST_LINES = 10
"""Lines about single entries that one look logs, at most."""

_log = logging.getLogger(__name__)


class Findings:
    """Logs findings about one repository, each once for as long as it stands."""

    def __init__(self, repository: Storage, store: Store, once: Once) -> None:
        """Nothing was found yet.

        Args:
            repository: Where versions are published.
            store: Tells what serves.
            once: Remembers what was logged.
        """
        self._repository = repository
        self._store = store
        self._once = once
        self._faults: Mapping[str, str] = {}

    def going_on(self) -> str:
        """What serves meanwhile, in words."""
        active = self._store.active()
        return f"{active.words} goes on serving" if active else "no version serves yet"

    def trouble(self, finding: str) -> None:
        """The repository cannot be followed."""
        hint = self.going_on()
        if self._store.active() is None:
            hint = f"waiting for a version; publish one with: {PUBLISH_COMMAND}"
        self._once.say("repository", logging.WARNING, f"{finding}; {hint}")

    def faults(self, faults: Mapping[str, str]) -> None:
        """What is wrong with single entries of the repository now; all others are followed."""
        fresh = [f"{path}: {fault}" for path, fault in faults.items() if self._faults.get(path) != fault]
        self._faults = faults
        for line in fresh[:MOST_LINES]:
            _log.error("%s", line)
        if more := fresh[MOST_LINES:]:
            _log.error("%d more entries of the repository cannot be read, or are not what belongs there", len(more))

    def decisions_out_of_reach(self, error: Exception) -> None:
        """The run folder does not answer."""
        self._once.say("decisions", logging.ERROR, f"{error}; earlier decisions stay in force")

    def unreadable_manifest(self, loaded: Loaded, error: Exception) -> None:
        """It cannot be told whether a version's number stands for other weights now."""
        self._once.say("manifest", logging.WARNING, f"{error}; {loaded.words} goes on serving")

    def readable_manifest(self) -> None:
        """The manifest of a version that serves can be read."""
        self._once.resolved("manifest")

    def serving(self, action: Serve, loaded: Loaded) -> None:
        """A version has begun to answer."""
        policy = self._store.wishes.policy
        if action.name == UNNAMED:
            what = f"it answers the calls that name no version, whatever the policy {policy} says"
            _log.info("%s is pinned: %s; weights sha256 %s", loaded.words, what, loaded.weights_sha256)
            return
        active = self._store.active()
        if action.name != policy or (active and active is not loaded):  # the latter under a pin
            _log.info("%s is loaded as %s, weights sha256 %s", loaded.words, action.name, loaded.weights_sha256)
            return
        _log.info("serving %s, weights sha256 %s", loaded.words, loaded.weights_sha256)
        if action.instead_of is not None:
            what = "champion" if policy == CHAMPION else policy
            _log.warning("%s stands in for the %s, version %d", loaded.words, what, action.instead_of)
        if loaded.number == PRETRAINED_NUMBER:
            meanwhile = "the pretrained version that ships with Numeral serves until one is published"
            url = self._repository.url
            _log.warning("repository %s holds no version yet: %s by: %s", url, meanwhile, PUBLISH_COMMAND)

    def unpinned(self, loaded: Loaded, reason: str) -> None:
        """The pin of a version has ended.

        Args:
            loaded: The version.
            reason: Why it must not serve; "" if it might.
        """
        because = f": {reason}" if reason else ""
        active, policy = self._store.active(), self._store.wishes.policy
        now = f"{active.words} serves" if active else "no version serves"
        _log.info("%s is no longer pinned%s; by the policy %s, %s", loaded.words, because, policy, now)

    def settled(self, versions: Versions) -> None:
        """There is nothing more to do: log what keeps the service from serving what is wished."""
        wishes = self._store.wishes
        for name in versions.names(wishes):
            stay = decide(name, versions, wishes)
            if stay is Stay.GONE:
                self._gone(name)
            elif stay is Stay.NO_TARGET and name == wishes.policy:
                self._no_target(name, versions)
            elif stay is Stay.NONE_SERVABLE and name == wishes.policy:
                finding = "no version can be served; waiting for one that can"
                if active := self._store.active():
                    finding = f"no version can be served by the policy {name}; {active.words}, which is pinned, goes on"
                self._once.say("unservable", logging.ERROR, finding)
            elif stay is Stay.NONE_SERVABLE and name == UNNAMED and versions.pinned is not None:
                pinned = in_words(label(versions.pinned))
                self._once.say("pin", logging.ERROR, f"{pinned} is pinned and cannot be served; {self.going_on()}")

    def _no_target(self, policy: str, versions: Versions) -> None:
        """The policy stands for no version: a legitimate state, which ends when one is published or promoted."""
        what = "holds no version" if policy == LATEST else f"names no {policy}"
        if not self._repository.exists():
            what = "does not exist"
        if not versions.available:
            self.trouble(f"repository {self._repository.url} {what}")
            return
        if versions.aliases:
            what += f", only {', '.join(sorted(versions.aliases))}"
        hint = f"waiting for it; make it with: {PROMOTE_COMMAND} VERSION --alias {policy}"
        hint = self.going_on() if self._store.active() else hint
        finding = f"repository {self._repository.url} {what}; {hint}"
        self._once.say(finding, logging.WARNING, finding)

    def _gone(self, name: str) -> None:
        if gone := self._store.named(name):
            finding = f"{gone.words} is no longer in repository {self._repository.url}"
            serving = f"{gone.words} goes on serving from memory"
            self._once.say(f"gone {gone.number}", logging.WARNING, f"{finding}; {serving}")
