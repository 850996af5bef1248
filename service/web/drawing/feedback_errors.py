"""Why feedback is refused, for those who send it: what they can do about it differs from what others could.

NumeralError                     (core.errors)
└── WebError                     (service.web.web_errors)
    ├── FeedbackOffError         the service collects none
    ├── FeedbackRateError        it arrives too fast
    └── FeedbackFullError        there is no room for more
"""

from core.errors import NumeralError
from service.client import ServiceError
from service.web.web_errors import WebError

__all__ = ["FeedbackFullError", "FeedbackOffError", "FeedbackRateError", "feedback_error"]


class FeedbackOffError(WebError):
    """The service collects no feedback."""


class FeedbackRateError(WebError):
    """Feedback arrives faster than the rate that is set."""


class FeedbackFullError(WebError):
    """The feedback folder has reached the size that is set."""


_KINDS: dict[str, tuple[type[WebError], str, float | None]] = {
    "FeedbackOffError": (FeedbackOffError, "this service collects no feedback", None),
    "FeedbackRateError": (FeedbackRateError, "too much feedback at once; try again in a few seconds", 10.0),
    "FeedbackFullError": (FeedbackFullError, "there is no room left for feedback", None),
}
"""By the class that the service gives an error: the one that it becomes, its sentence, and when to try again."""


def feedback_error(error: ServiceError) -> NumeralError:
    """The error that a visitor sees in place of one of the client, whose class alone does not tell them apart."""
    if error.kind not in _KINDS:
        return error
    kind, sentence, seconds = _KINDS[error.kind]
    return kind(sentence, seconds)
