"""What the gate decides on: measures of a challenger, and comparisons with earlier versions. Nothing here decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.artifact.manifest import Metrics, Slice
from pipelines.promotion.paired import Pairs


@dataclass(frozen=True)
class Comparison:
    """A challenger beside one earlier version.

    Attributes:
        version: The number of the earlier version.
        role: What it is, e.g. "the champion".
        validation: Its measures on its own validation images.
        parameters: How many numbers it has learned.
        accuracy: Both on the same validation images; None if there are too few that neither has trained on, or the
            earlier version cannot be read any more.
        why_apart: Where `accuracy` is None although it can be read, the reason.
        readable: Whether the earlier version can still be read; if not, only its record is compared.
        digits: The same images by their digit, by the digit's name.
        robustness: Both on altered validation images, by the alteration's description.
        slices: Both on the same pictures beside the validation images, by the slice's name.
    """

    version: int
    role: str
    validation: Metrics
    parameters: int
    accuracy: Pairs | None
    why_apart: str = ""
    readable: bool = True
    digits: Mapping[str, Pairs] = field(default_factory=dict)
    robustness: Mapping[str, Pairs] = field(default_factory=dict)
    slices: Mapping[str, Pairs] = field(default_factory=dict)


@dataclass(frozen=True)
class Best:
    """The best version of those that are comparable and whose promotion no rollback has undone.

    Attributes:
        version: Its number.
        accuracy: Its validation accuracy.
    """

    version: int
    accuracy: float


@dataclass(frozen=True)
class Evidence:
    """All that is known when a verdict is reached.

    Attributes:
        validation: Measures of the challenger on its validation images.
        parameters: How many numbers it has learned.
        parent: The champion at this moment; None if there is none.
        compared: With the champion and with the best version; one comparison if they are the same.
        best: The best version, even if it was pruned since; None if no promotion of a comparable one stands.
        consulted: How many versions have been judged on the same validation images, the challenger included.
        slices: How the challenger reads pictures beside the validation images.
    """

    validation: Metrics
    parameters: int
    parent: int | None = None
    compared: tuple[Comparison, ...] = ()
    best: Best | None = None
    consulted: int = 1
    slices: tuple[Slice, ...] = ()
