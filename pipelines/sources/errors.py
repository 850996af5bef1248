"""Why a mirror did not deliver a file.

SourceError                 no mirror could deliver a file
└── MirrorError             one mirror did not deliver one file
    ├── AbsentError             it does not have the file: its other name is tried
    ├── RefusedError            its answer is final
    │   └── OtherDataError          it has another data set under this name
    ├── TransientError          the failure may be temporary: the request is tried again
    └── UnreachableError        there is no connection
"""

from core.errors import SourceError

__all__ = ["AbsentError", "MirrorError", "OtherDataError", "RefusedError", "TransientError", "UnreachableError"]


class MirrorError(SourceError):
    """Why one mirror did not deliver one file. The message continues a sentence that begins with the mirror's name."""


class AbsentError(MirrorError):
    """The mirror does not have this file under this name."""


class RefusedError(MirrorError):
    """The mirror gave an answer that is of no use and would be the same again."""


class OtherDataError(RefusedError):
    """The mirror has a sound file of another data set under this name."""


class TransientError(MirrorError):
    """The mirror failed in a way that may be temporary.

    Attributes:
        retry_after: Seconds that the mirror asks to wait; 0 if it does not say.
    """

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnreachableError(MirrorError):
    """The mirror's host cannot be resolved or connected.

    Attributes:
        quick: Whether this was found within `QUICK_SECONDS`, so that a second attempt costs little.
    """

    def __init__(self, message: str, *, quick: bool) -> None:
        super().__init__(message)
        self.quick = quick
