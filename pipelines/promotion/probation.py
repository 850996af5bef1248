"""What a version may have to go through between the gate and the alias `champion`."""

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Held", "NoProbation", "Probation"]


@dataclass(frozen=True)
class Held:
    """A version that does not become the champion now.

    Attributes:
        words: Why, or what happens to it instead, in a sentence for people.
        rejected: Whether that is final, so that only a person can promote it.
        canary: Whether it is a canary.
        begun: Whether it has become one just now.
    """

    words: str
    rejected: bool = False
    canary: bool = False
    begun: bool = False


class Probation(Protocol):
    """Asked about a version that the gate lets through, before it becomes the champion."""

    def standing(self, champion: int | None) -> Held | None:
        """What has become of the version before, if that keeps it from being promoted now; asked before its trial.

        Args:
            champion: The version that it would replace.
        """

    def before_move(self, champion: int | None, reasons: str) -> Held | str:
        """Asked once nothing else is left to be done: why it does not become the champion, or what speaks for it.

        Args:
            champion: The version that it would replace.
            reasons: What speaks for it until now.
        """


class NoProbation:
    """Lets every version through."""

    def standing(self, champion: int | None) -> Held | None:  # noqa: ARG002 — whatever is asked
        """Nothing keeps the version from being promoted."""
        return None

    def before_move(self, champion: int | None, reasons: str) -> Held | str:  # noqa: ARG002 — likewise
        """Nothing further speaks for it."""
        return ""
