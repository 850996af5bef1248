"""Other ways to compute a convolution: they compute the same, and are measured beside ours."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import app
from benchmarks.convolutions import parts
from benchmarks.convolutions.cases import CASES, WAYS, Case, in_use, whole_batch
from core.errors import ConfigError
from tests.floats import assert_same_function


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_way_computes_the_convolution(case: Case, name: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((4, case.side, case.side, case.inputs))
    W = rng.standard_normal((3, 3, case.inputs, case.outputs))
    # Σ|x||w| is 0.6 for each of the terms; the transforms multiply by up to 100 on the way, and divide by it again.
    scale = 100 * 0.64 * 9 * case.inputs
    found, expected = whole_batch(WAYS[name], x, W, 2)(), in_use(x, W)()
    assert_same_function(found, expected, terms=9 * case.inputs, dtype=np.float64, scale=scale)


def test_stages_in_parts_compute_what_the_whole_batch_does() -> None:
    x = np.random.default_rng(1).standard_normal((8, 12, 12, 16))
    assert_same_function(parts.stages(x, 2)(), parts.stages(x, 8)(), terms=9 * 16, dtype=np.float64, scale=9 * 16)


def test_each_way_is_a_row_of_its_case() -> None:
    done = CliRunner().invoke(app, ["convolutions", "--case", "96*", "--rounds", "1", "--seconds", "0.001", "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert [(row["case"], row["peer"]) for row in rows] == [("96 to 96 channels, 6×6", name) for name in WAYS]
    assert all(row["agrees"] and row["ours"] > 0 and row["theirs"] > 0 for row in rows)


def test_a_case_that_nobody_knows_is_an_error_that_lists_them() -> None:
    done = CliRunner().invoke(app, ["convolutions", "--case", "tape"])
    assert isinstance(done.exception, ConfigError)
    assert "16 to 16 channels, 26×26; " in str(done.exception)
