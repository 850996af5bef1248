"""Known mistakes are recognized by what they return."""

import pytest

from exercises.catalog import find
from exercises.checks.every import CHECKS
from exercises.examine import examine
from exercises.function_check import FunctionCheck
from exercises.verdict import WRONG
from tests.exercises.known_slips import SLIPS, with_slip

SOLUTIONS_WITH_SLIPS = [pytest.param(*slip, id=f"{slip[0]}: {slip[3]}") for slip in SLIPS]


@pytest.mark.parametrize(("exercise", "old", "new", "slip"), SOLUTIONS_WITH_SLIPS)
def test_a_known_slip_is_recognized(exercise, old, new, slip, tmp_path):
    file = tmp_path / "exercise.py"
    file.write_text(with_slip(exercise, old, new), "utf-8")
    verdict = examine(find(exercise).name, file, 60, afterwards=False)
    assert verdict.outcome == WRONG
    assert slip in verdict.slips, verdict.sentences
    assert verdict.line


def test_every_slip_that_a_check_knows_is_among_the_tested_ones():
    tested = {(exercise, slip) for exercise, _, _, slip in SLIPS}
    checks = [(name, check) for name, every in CHECKS.items() for check in every if isinstance(check, FunctionCheck)]
    assert [
        (name, slip.name) for name, check in checks for slip in check.slips if (name[:2], slip.name) not in tested
    ] == []
