"""The gallery of feedback: items are looked at, and accepted or discarded, one by one or several at once."""

import re
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from core.errors import NumeralError
from service.client import AccessError, NotFoundError, ServiceError
from service.web.administration.gallery import FILTERS, gather
from service.web.administration.sessions import Notice
from service.web.administration.visit import Visit, administrators

__all__ = ["routes"]

FEEDBACK = "/feedback"

MOST_AT_ONCE = 200
"""Items that one form decides about; a page shows fewer."""

_ITEM = re.compile(r"[0-9a-f]{64}")

_PAGE = re.compile(r"[A-Za-z0-9_=+/.-]{0,200}")


async def _gallery(visit: Visit) -> Response:
    wanted, page = _place(visit.request.query_params.get("show", ""), visit.request.query_params.get("page", ""))
    try:
        found = await gather(visit.client, wanted, page)
    except AccessError:
        raise
    except ServiceError as error:
        if not _is_off(error):
            raise
        return visit.page("admin/feedback_off.html.j2")
    return visit.page(
        "admin/feedback.html.j2",
        found=found,
        wanted=wanted,
        filters={name: _path(name, "") for name in FILTERS},
        page=page,
        following=_path(wanted, found.next_page) if found.next_page else "",
        first=_path(wanted, "") if page else "",
    )


def _decide(action: str) -> Callable[[Visit], Awaitable[Response]]:
    """The handler that accepts, or discards, the item in the path."""

    async def decide(visit: Visit) -> Response:
        return await _decided(visit, action, [visit.request.path_params["item"]])

    return decide


async def _selected(visit: Visit) -> Response:
    """What is to become of the items that are selected."""
    action = visit.field("action")
    items = visit.fields.get("item", [])[:MOST_AT_ONCE]
    if action not in _DONE or not items:
        return visit.back(_back(visit), Notice("admin.feedback.none_selected", good=False))
    return await _decided(visit, action, items)


async def _decided(visit: Visit, action: str, items: Sequence[str]) -> Response:
    """Accept or discard items; before something is discarded for good, ask once more."""
    if not all(_ITEM.fullmatch(item) for item in items):
        raise NotFoundError("there is no such item of feedback")
    if action == "discard" and not visit.field("sure") and not visit.wants_json:
        show, page = _place(visit.field("show"), visit.field("page"))
        return visit.page("admin/discard.html.j2", items=list(dict.fromkeys(items)), show=show, page=page)
    done, failures = 0, []
    for item in dict.fromkeys(items):
        try:
            await (visit.client.accept_feedback(item) if action == "accept" else visit.client.discard_feedback(item))
            done += 1
        except AccessError:
            raise
        except NumeralError as error:
            if visit.wants_json:
                raise
            failures.append(str(error))
    if visit.wants_json:
        return JSONResponse({"done": action, "items": list(items)})
    if failures:
        visit.session.notices.append(
            Notice("admin.feedback.failed", {"count": len(failures), "said": failures[0]}, good=False)
        )
    return visit.back(_back(visit), Notice(_DONE[action], {"count": done}) if done else None)


_DONE = {"accept": "admin.feedback.accepted", "discard": "admin.feedback.discarded"}
"""What is said after each action."""


def _back(visit: Visit) -> str:
    """The page of the gallery that a form was sent from."""
    return _path(*_place(visit.field("show"), visit.field("page")))


def _place(show: str, page: str) -> tuple[str, str]:
    return show if show in FILTERS else "all", page if _PAGE.fullmatch(page) else ""


def _path(show: str, page: str) -> str:
    query = {name: value for name, value in (("show", "" if show == "all" else show), ("page", page)) if value}
    return f"{FEEDBACK}?{urlencode(query)}" if query else FEEDBACK


def _is_off(error: ServiceError) -> bool:
    """Whether an error says that the service collects no feedback."""
    return error.kind == "FeedbackOffError"


routes = [
    administrators(FEEDBACK, _gallery, after=FEEDBACK),
    administrators(FEEDBACK, _selected, after=FEEDBACK, method="POST"),
    administrators("/feedback/{item}/accept", _decide("accept"), after=FEEDBACK, method="POST"),
    administrators("/feedback/{item}/discard", _decide("discard"), after=FEEDBACK, method="POST"),
]
