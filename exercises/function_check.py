"""The check of one function: what it returns for a few cases, compared output by output; known slips are recognized.

A slip is a deliberately wrong variant of one output. Where a learner's output is wrong, and equal to that of a slip,
the slip's sentence says which term it is.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exercises.compare import difference, relative_error
from exercises.learners_file import call, function_of
from exercises.verdict import Output, WrongError

__all__ = ["NUMERICAL", "Case", "FunctionCheck", "Slip", "require_untouched"]

Array = NDArray[Any]

NUMERICAL = "the numerical gradient"


@dataclass(frozen=True)
class Case:
    """Arguments that a function is called with.

    Attributes:
        about: What they are, e.g. "a batch of one row"; said with a mistake that other cases do not show.
        arguments: By name, in order.
        sizes: Letters such as N and their numbers: a wrong factor may be one of them, and sentences of slips may name
            them, as {N}.
        expected: What is right here, if the check's own `expected` cannot tell.
    """

    about: str
    arguments: dict[str, Any]
    sizes: dict[str, int] = field(default_factory=dict)
    expected: Callable[..., Any] | None = None

    def in_single_precision(self) -> "Case":
        """The same arguments in float32: outputs must be float32 as well."""
        arguments = {name: _cast(value, np.float32) for name, value in self.arguments.items()}
        return Case("inputs in float32", arguments, self.sizes, self.expected)

    @property
    def in_double_precision(self) -> dict[str, Any]:
        """The arguments for the reference and the slips."""
        return {name: _cast(value, np.float64) for name, value in self.arguments.items()}

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the arrays of real numbers."""
        return np.result_type(
            *(v for v in self.arguments.values() if isinstance(v, np.ndarray) and v.dtype.kind == "f")
        )


@dataclass(frozen=True)
class Slip:
    """A known mistake.

    Attributes:
        name: A few words.
        output: The output that it spoils.
        wrong: That output with the mistake, from the function's arguments.
        sentence: What the learner reads; may contain the sizes, as {N}.
    """

    name: str
    output: str
    wrong: Callable[..., Any]
    sentence: str


@dataclass(frozen=True)
class FunctionCheck:
    """The check of one function.

    Attributes:
        function: Its name.
        outputs: The names of what it returns.
        cases: What it is called with; the first is the ordinary one.
        expected: The right outputs, from its arguments: a tuple if there are several.
        slips: Known mistakes, the likelier ones first.
        reference: What `expected` computes, in words.
        tolerance: The relative error that is allowed in float64.
        restored: How far arguments may be from what they were, where a function may change and restore them.
    """

    function: str
    outputs: tuple[str, ...]
    cases: Sequence[Case]
    expected: Callable[..., Any]
    slips: Sequence[Slip] = ()
    reference: str = "the right value"
    tolerance: float = 1e-6
    restored: float = 0.0

    def __call__(self, names: Mapping[str, Any]) -> None:
        """Check the function of a file.

        Raises:
            WrongError: It returns something wrong in one of the cases; or whatever the function raises.
        """
        function = function_of(names, self.function)
        for index, case in enumerate(self.cases):
            try:
                self._judge(function, case)
            except WrongError as error:
                if index and error.function:
                    error.sentences.append(f"This shows with {case.about}.")
                raise
            except Exception as error:
                self._recognize_elsewhere(function, error, case)
                if index:
                    error.add_note(f"This shows with {case.about}.")
                raise

    def _recognize_elsewhere(self, function: Callable[..., Any], error: Exception, failed: Case) -> None:
        """Where shapes do not fit in one case, another one may show why: in a square matrix every transpose fits.

        Raises:
            WrongError: A slip was recognized.
        """
        for case in self.cases:
            try:
                self._judge(function, case)
            except WrongError as wrong:
                if wrong.slips:
                    wrong.sentences.append(f"With {failed.about}, the shapes do not even fit: {error}")
                    raise wrong from None
            except Exception:  # noqa: BLE001, S112 — the first one is reported
                continue

    def _judge(self, function: Callable[..., Any], case: Case) -> None:
        given = deepcopy(case.arguments)
        values = self._apart(call(self.function, function, given))
        require_untouched(self.function, case.arguments, given, self.restored)
        expected = self._tuple((case.expected or self.expected)(**case.in_double_precision))
        reports, sentences, slips = [], [], []
        first = ""
        for name, value, right in zip(self.outputs, values, expected, strict=True):
            report, sentence, slip = self._look(name, value, np.asarray(right), case)
            reports.append(report)
            if sentence:
                first = first or name
                sentences.append(sentence)
                slips += [slip] if slip else []
        if sentences:
            raise WrongError(*sentences, function=self.function, output=first, outputs=reports, slips=slips)

    def _tuple(self, value: Any) -> tuple[Any, ...]:
        return value if len(self.outputs) > 1 else (value,)

    def _apart(self, result: Any) -> tuple[Any, ...]:
        """The outputs of a result.

        Raises:
            WrongError: There are not as many as there should be.
        """
        wanted = " and ".join(filter(None, [", ".join(self.outputs[:-1]), self.outputs[-1]]))
        if result is None:
            raise WrongError(f"{self.function} returns None: is a `return` missing?", function=self.function)
        if len(self.outputs) == 1:
            return (result,)
        if not isinstance(result, tuple | list) or len(result) != len(self.outputs):
            found = f"{len(result)} values" if isinstance(result, tuple | list) else f"one {type(result).__name__}"
            raise WrongError(f"{self.function} returns {found}, expected {wanted}.", function=self.function)
        return tuple(result)

    def _look(self, name: str, value: Any, expected: Array, case: Case) -> tuple[Output, str, str]:
        """One output: what it is, a sentence if it is wrong, and the name of the slip that was recognized."""
        if not isinstance(value, np.ndarray | np.generic | int | float):
            kind = "None" if value is None else f"a {type(value).__name__}"
            return Output(name, right=False), f"Your {name} is {kind}, expected an array.", ""
        found = np.asarray(value)
        tolerance = self.tolerance if case.dtype == np.float64 else max(self.tolerance, 1e-4)
        error = relative_error(found, expected) if found.shape == expected.shape else None
        if error is not None and error <= tolerance:
            if expected.ndim and found.dtype != case.dtype:
                return Output(name, right=False, error=error), _dtype_sentence(name, found, case), "dtype"
            return Output(name, right=True, error=error), "", ""
        report = Output(name, right=False, error=error if error is not None and np.isfinite(error) else None)
        for slip in self.slips:
            if slip.output == name and _equal(found, slip, case, tolerance, expected):
                return report, slip.sentence.format(**case.sizes), slip.name
        return report, difference(name, found, expected, self.reference, case.sizes, tolerance), ""


def require_untouched(
    function: str, before: Mapping[str, Any], after: Mapping[str, Any], tolerance: float = 0.0
) -> None:
    """Arguments are only read; or restored, up to a relative error.

    Raises:
        WrongError: A function has written to an array that it was given.
    """
    for name, original in before.items():
        if isinstance(original, np.ndarray) and (
            original.shape != after[name].shape or relative_error(after[name], original) > tolerance
        ):
            raise WrongError(
                f"{function} has changed {name}, the array that it was given. Others still need it: compute a new one. "
                f"(`{name} += …`, `{name}[…] = …` and `out={name}` write into the old one.)",
                function=function,
                output=name,
                slips=["in place"],
            )


def _equal(found: Array, slip: Slip, case: Case, tolerance: float, expected: Array) -> bool:
    """Whether an output is what a slip makes of it, in a case in which the slip makes a difference."""
    try:
        with np.errstate(all="ignore"):
            wrong = np.asarray(slip.wrong(**case.in_double_precision))
    except (ValueError, IndexError):  # a transposed matrix, for example, does not fit everywhere
        return False
    if wrong.shape == expected.shape and relative_error(wrong, expected) <= tolerance:
        return False
    return wrong.shape == found.shape and relative_error(found, wrong) <= tolerance


def _dtype_sentence(name: str, found: Array, case: Case) -> str:
    said = f"The numbers of your {name} are right, but it is {found.dtype}; the inputs are {case.dtype}."
    if found.dtype == np.float64:
        return f"{said} An array that was made without a dtype (np.zeros, np.eye) is float64, and so is a sum with it."
    return f"{said} Outputs keep the dtype of the inputs."


def _cast(value: Any, dtype: type) -> Any:
    return value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
