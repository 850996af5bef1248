"""What an attack is: it acts on the real service, and judges what it saw by figures that have limits."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from benchmarks.attacks.arena import Arena
from core.errors import NumeralError

__all__ = ["Attack", "Figure", "Verdict"]

Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Figure:
    """A figure that an attack showed.

    Attributes:
        what: What was measured or counted.
        found: The figure.
        limit: The most that it may be.
        unit: The unit of both.
    """

    what: str
    found: float
    limit: float
    unit: str

    @property
    def held(self) -> bool:
        """Whether the figure is within its limit."""
        return self.found <= self.limit

    def __str__(self) -> str:
        return f"{self.what}: {self.found:,.4g} {self.unit} (at most {self.limit:,.4g})"


@dataclass(frozen=True)
class Verdict:
    """How an attack ended.

    Attributes:
        name: The attack.
        what: What it did, in a sentence.
        figures: What it showed; none if it could not be carried out.
        trouble: Why it could not be carried out.
    """

    name: str
    what: str
    figures: tuple[Figure, ...]
    trouble: str = ""

    @property
    def held(self) -> bool:
        """Whether the service held: every figure is within its limit."""
        return not self.trouble and all(figure.held for figure in self.figures)


class Attack(ABC, Generic[Seen]):
    """An attack. The first line of the docstring of a subclass says what it does and what the service has to do."""

    name: ClassVar[str]

    @abstractmethod
    def act(self, arena: Arena) -> Seen:
        """Attack the service, and tell what was seen."""

    @abstractmethod
    def judge(self, seen: Seen) -> tuple[Figure, ...]:
        """The figures that speak for the service or against it."""

    def run(self, arena: Arena) -> Verdict:
        """Attack and judge. A service that does not even start has not held."""
        [what, *_] = (self.__doc__ or "").splitlines()
        try:
            return Verdict(self.name, what, self.judge(self.act(arena)))
        except NumeralError as error:
            return Verdict(self.name, what, (), str(error))
