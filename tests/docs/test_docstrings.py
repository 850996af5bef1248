"""tools/docs/docstrings.py: docstrings as they are written here become reStructuredText."""

import importlib.util

import pytest

from tests.docs.pages import ROOT

pytest.importorskip("sphinx", reason="needs the extra docs")


@pytest.fixture(scope="module")
def rewritten():
    """The function of the tool; it takes and gives a text."""
    spec = importlib.util.spec_from_file_location("docstrings", ROOT / "tools/docs/docstrings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda text: "\n".join(module.rewritten(text.splitlines())).strip()


def test_characters_of_formulas_are_no_markup_outside_of_code(rewritten):
    assert rewritten("y = W*x + |b_| for x_t, as `W * x_` says") == r"y = W\*x + \|b\_\| for x_t, as `W * x_` says"


def test_a_code_span_may_go_over_lines_and_be_followed_by_letters(rewritten):
    assert rewritten("all `a *\nb`s are\n`x`.") == "all `a *\nb`\\ s are\n`x`."


def test_an_indented_passage_and_one_that_begins_with_a_statement_are_code(rewritten):
    assert (
        rewritten("A sum:\n\n    y = a * b\n      + c\n\nEnd")
        == "A sum:\n\n::\n\n        y = a * b\n          + c\n\nEnd"
    )
    assert rewritten("So:\n\nwith open(x) as y:\n    y.z*\n") == "So:\n\n::\n\n    with open(x) as y:\n        y.z*"


def test_the_sections_of_arguments_stay_as_they_are(rewritten):
    text = "What.\n\nArgs:\n    x: The input,\n        on two lines.\n\nReturns:\n    The sum."
    assert rewritten(text) == text
