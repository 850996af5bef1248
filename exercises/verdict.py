"""What a check has found: one verdict for each exercise file, and what a check raises as soon as something is wrong."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

__all__ = ["PASSED", "UNFILLED", "WRONG", "Output", "Verdict", "WrongError"]

PASSED, UNFILLED, WRONG = "passed", "unfilled", "wrong"
"""The outcomes: it is right; a gap still raises NotImplementedError; anything else."""


@dataclass(frozen=True)
class Output:
    """One of the things that a function returns, e.g. dW.

    Attributes:
        name: As the exercise calls it.
        right: Whether it is what it should be.
        error: Its relative error; None where shapes differ, or where something is not a number.
    """

    name: str
    right: bool
    error: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What is known about one exercise file.

    Attributes:
        exercise: E.g. "02_dense_backward".
        file: The learner's file.
        outcome: `PASSED`, `UNFILLED` or `WRONG`.
        sentences: What is wrong, for a person; nothing if it passed.
        line: Where in the file, if that is known.
        code: The text of that line.
        outputs: Each output of the function that is wrong.
        slips: The names of the known mistakes that were recognized.
        note: What is said of a success.
        printed: What the file itself has printed.
    """

    exercise: str
    file: str
    outcome: str
    sentences: list[str] = field(default_factory=list)
    line: int | None = None
    code: str | None = None
    outputs: list[Output] = field(default_factory=list)
    slips: list[str] = field(default_factory=list)
    note: str | None = None
    printed: str = ""

    @property
    def passed(self) -> bool:
        """Whether the exercise is solved."""
        return self.outcome == PASSED

    def with_outputs(self, outputs: Sequence[Output], slips: Sequence[str]) -> "Verdict":
        """The same, with what is known about each output."""
        return replace(self, outputs=list(outputs), slips=list(slips))

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Verdict":
        """The inverse of `as_json`."""
        return cls(**values | {"outputs": [Output(**output) for output in values["outputs"]]})


class WrongError(Exception):
    """Something about a learner's function is wrong.

    Attributes:
        sentences: What, for a person.
        function: The function that it is about, if it is about one.
        output: The output that is wrong, if it is one: its line is looked for.
        outputs: Each output of the function.
        slips: The names of the known mistakes that were recognized.
    """

    def __init__(
        self,
        *sentences: str,
        function: str = "",
        output: str = "",
        outputs: Sequence[Output] = (),
        slips: Sequence[str] = (),
    ) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = list(sentences)
        self.function, self.output = function, output
        self.outputs, self.slips = list(outputs), list(slips)
