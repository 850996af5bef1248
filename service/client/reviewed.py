"""Feedback as the reviewer of a service sees it, as plain objects."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from protos.numeral.v1.recognizer_pb2 import FeedbackItem, ListFeedbackResponse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FeedbackEntry", "FeedbackPage", "feedback_page"]


@dataclass(frozen=True)
class FeedbackEntry:
    """One item of feedback.

    Attributes:
        item: Its name, for `accept_feedback` and `discard_feedback`.
        digit: The digit that the picture shows according to its sender; None if the item is damaged.
        image: (28, 28) uint8, 0 background to 255 ink: the picture as a network sees it; None if it is damaged.
        received: When it was received, in UTC; None if it is damaged.
        reply_id: The `reply_id` of the answer that it is about; "" if unknown.
        trouble: Why training skips it: it is damaged, or another item gives another digit; "" if nothing is wrong.
        accepted: Whether an administrator has accepted it.
    """

    item: str
    digit: int | None
    image: "NDArray[np.uint8] | None" = field(compare=False, repr=False)
    received: datetime | None
    reply_id: str
    trouble: str
    accepted: bool


@dataclass(frozen=True)
class FeedbackPage:
    """A page of the feedback that a service has collected.

    Attributes:
        items: In the order of their names.
        next_page: The `page` of the next call; "" after the last page.
    """

    items: tuple[FeedbackEntry, ...]
    next_page: str


def feedback_page(response: ListFeedbackResponse) -> FeedbackPage:
    """A page, from its message."""
    return FeedbackPage(tuple(map(_entry, response.items)), response.next_page)


def _entry(item: FeedbackItem) -> FeedbackEntry:
    if not item.pixels:  # the server could read nothing of it
        return FeedbackEntry(item.item, None, None, None, "", item.trouble, item.accepted)
    from datetime import UTC

    import numpy as np

    return FeedbackEntry(
        item=item.item,
        digit=item.digit,
        image=np.frombuffer(item.pixels, np.uint8).reshape(28, 28),
        received=item.received.ToDatetime(UTC),
        reply_id=item.reply_id,
        trouble=item.trouble,
        accepted=item.accepted,
    )
