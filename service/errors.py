"""Every error that the service raises on purpose, beside those of `core.errors`."""

from core.errors import ArtifactError, NumeralError


class RequestError(NumeralError):
    """A request asks for something impossible; about its picture, `PictureError` tells."""


class StoppingError(NumeralError):
    """The server stops, and so ends a stream before its client did."""


class OverloadedError(NumeralError):
    """So much waits already that a call was not let in.

    Attributes:
        retry_after: Seconds after which it may come again.
    """

    def __init__(self, sentence: str, retry_after: float) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class ExpiredError(NumeralError):
    """The deadline of a call has passed before it was its turn."""


class NoModelError(NumeralError):
    """No model is loaded yet."""


class UnknownVersionError(NumeralError):
    """A call wants a version that is not there."""


class NotReadyError(NumeralError):
    """A call wants a version that is there, and is not loaded."""


class InferRequestError(NumeralError):
    """A request of the Open Inference Protocol is malformed."""


class UnknownModelError(NumeralError):
    """A request of the Open Inference Protocol is about a model that is not here."""


class UnauthenticatedError(NumeralError):
    """A call shows no token that is known."""


class DeniedError(NumeralError):
    """A call shows a token that is not good for it."""


class FeedbackOffError(NumeralError):
    """The service collects no feedback."""


class FeedbackRateError(NumeralError):
    """More feedback comes than is taken. Nobody is asked to wait for his turn: that may be long."""


class FeedbackFullError(NumeralError):
    """There is no room for more feedback."""


class LoadRefusedError(NumeralError):
    """An operator has asked for a version that cannot be served."""


class NotEnoughMemoryError(ArtifactError):
    """A version does not fit into the memory that is left. Not its own fault: it is tried again."""
