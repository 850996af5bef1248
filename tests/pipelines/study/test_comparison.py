"""What is concluded from the numbers of a study."""

import pytest

from pipelines.study.comparison import Comparison
from pipelines.study.conduct import Row
from pipelines.study.question import Question
from pipelines.study.variant import Variant
from pipelines.study.variant_outcome import Outcome
from tests.pipelines.report.test_diagnosis import history

IMAGES = 5_000


def row(name: str, right: int) -> Row:
    """A variant that trained well, and reads so many of the images."""
    outcome = Outcome(
        history=tuple(history([0.4, 0.3], [0.3, 0.3], accuracy=right / IMAGES)),
        initial_loss=2.3,
        initial_accuracy=0.1,
        parameters=1,
        seconds=1.0,
        images=10,
        validation_images=IMAGES,
        kept_epoch=2,
    )
    return Row(Variant(name, "mlp", ()), outcome, reused=False)


@pytest.mark.parametrize(
    ("rows", "first", "alike"),
    [
        ({"a": 4850, "b": 4890}, "b reads the most validation images correctly: 97.80% (95%", None),
        (
            {"a": 4880, "b": 4890},
            "b reads the most",
            "With 5,000 images, a cannot be told from it: the 95% interval of the difference contains 0.",
        ),
        (
            {"a": 4880, "b": 4890, "c": 4890, "d": 4881, "e": 100},
            "b and c read the most validation images correctly: 97.80% (95%",
            "With 5,000 images, d and a cannot be told from them: the 95% intervals of the differences contain 0.",
        ),
        ({"a": 4890, "b": 4890}, "a and b read the most", None),
    ],
)
def test_the_best_are_named_with_those_that_cannot_be_told_from_them(
    rows: dict[str, int], first: str, alike: str | None
) -> None:
    compared = Comparison(
        Question("name", "title", "question", (), 10), tuple(row(name, right) for name, right in rows.items())
    )
    found = compared.conclusions
    assert found[0].startswith(first)
    assert found[1:] == (() if alike is None else (alike,))
