"""The exercises themselves: their files, gaps, hints and solutions."""

import ast

import pytest

from exercises.catalog import EXERCISES, ROOT, UnknownExerciseError, find
from exercises.checks.every import CHECKS
from exercises.examine import examine
from exercises.verdict import PASSED, UNFILLED

GIVEN = "maxpool2d"
"""A function that needs no filling."""

each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


def test_every_exercise_has_checks_and_nothing_else_has():
    assert [exercise.name for exercise in EXERCISES] == list(CHECKS)


@each
def test_every_solution_passes(exercise):
    verdict = examine(exercise.name, exercise.solution, 60, afterwards=False)
    assert verdict.outcome == PASSED, verdict.sentences


@each
def test_every_unfilled_gap_is_reported_as_one_with_its_line(exercise):
    verdict = examine(exercise.name, exercise.gap, 60)
    assert verdict.outcome == UNFILLED
    assert "still has its gap" in verdict.sentences[0]
    assert verdict.code == "raise NotImplementedError  # your code"
    assert exercise.gap.read_text("utf-8").splitlines()[verdict.line - 1].strip() == verdict.code


@each
def test_a_solution_differs_from_its_exercise_in_the_gaps_alone(exercise):
    def skeleton(text: str) -> str:
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name != GIVEN:
                node.body = node.body[:1]  # the docstring
        return ast.dump(tree)

    assert skeleton(exercise.gap.read_text("utf-8")) == skeleton(exercise.solution.read_text("utf-8"))


@each
def test_every_exercise_fits_a_screen_and_says_where_core_has_it(exercise):
    text = exercise.gap.read_text("utf-8")
    assert len(text.splitlines()) <= 50
    assert "\nIn core: " in text


@each
def test_every_file_that_an_exercise_refers_to_is_there(exercise):
    heading = ast.get_docstring(ast.parse(exercise.gap.read_text("utf-8")))
    named = [word.strip(".,;:()`") for word in heading.split() if word.startswith(("core/", "tests/", "examples/"))]
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


@each
def test_every_exercise_has_several_hints(exercise):
    assert len(exercise.hints) >= 2
    assert all(exercise.hints)


@pytest.mark.parametrize(
    "name", ["2", "02", "02_dense_backward", "dense_backward", "my_exercises/02_dense_backward.py"]
)
def test_an_exercise_is_found_by_number_name_or_file(name):
    assert find(name).name == "02_dense_backward"


@pytest.mark.parametrize("name", ["99", "transformer", ""])
def test_an_unknown_exercise_is_refused_with_the_known_ones(name):
    with pytest.raises(UnknownExerciseError, match="16_max_pooling"):
        find(name)


def test_a_name_that_fits_several_exercises_is_refused():
    with pytest.raises(UnknownExerciseError, match="01_dense_forward, 02_dense_backward"):
        find("dense")
