"""Where the time of a step goes: every call is counted once, and nothing is left in its way afterwards."""

import json
from itertools import count

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import app
from benchmarks.dense import table
from benchmarks.dense.clocks import Clocks
from benchmarks.dense.step_parts import parts
from core.errors import ConfigError
from core.nn.losses import SoftmaxCrossEntropy


def test_a_step_is_taken_apart_into_the_calls_that_it_makes() -> None:
    before = np.matmul, np.take, SoftmaxCrossEntropy.forward
    found = {part.name: part for part in parts("mlp-32", 1, 0.01)}
    assert (np.matmul, np.take, SoftmaxCrossEntropy.forward) == before
    assert {name: part.gflops is not None for name, part in found.items()} == {
        "gather the batch": False,
        "product 32 × 784 × 128": True,  # x W
        "product 784 × 32 × 128": True,  # xᵀ dy
        "product 32 × 128 × 10": True,
        "product 128 × 32 × 10": True,
        "product 32 × 10 × 128": True,  # dy Wᵀ
        "sums of columns": False,
        "rest of dense": False,
        "rest of relu": False,
        "softmax cross-entropy": False,
        "update": False,
        "between the calls": False,
    }
    assert all(part.microseconds > 0 for part in found.values())


def test_a_call_within_another_one_counts_for_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.dense.clocks.perf_counter", count().__next__)  # a second at each look
    clocks = Clocks()
    inner = clocks.around(lambda: None, lambda: ("inner", 0.0))
    outer = clocks.around(inner, lambda: ("outer", 0.0))
    outer()
    assert clocks.seconds == {"inner": 1, "outer": 2}  # it lasts from 0 to 3, and the inner one from 1 to 2


def test_the_table_has_a_row_for_each_part_with_each_set_of_kernels_and_threads() -> None:
    done = CliRunner().invoke(
        app,
        [
            *("dense", "--case", "mlp-32", "--rounds", "1", "--seconds", "0.01", "--json"),
            *("--kernels", "default", "--kernels", "Prescott"),  # every processor can run these
        ],
    )
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert {(row["kernels"], row["threads"]) for row in rows} == {
        (kernels, threads) for kernels in ("default", "Prescott") for threads in (1, 2)
    }
    assert len(rows) == 4 * 12


def test_the_sums_of_the_table_are_those_of_its_rows(capsys: pytest.CaptureFixture[str]) -> None:
    table.write(
        [
            table.Row("mlp-32", 1, "default", "update", 30.0, None),
            table.Row("mlp-32", 1, "default", "product 1 × 2 × 3", 12.0, 5.0),
        ]
    )
    shown = capsys.readouterr().out
    assert "12.0 µs (5 GFLOP/s)" in shown
    assert "42 µs" in shown


def test_a_case_with_convolutions_is_none_of_these() -> None:
    with pytest.raises(ConfigError, match="no case matches 'cnn'; known: mlp-32, mlp-128, mlp-1024-128"):
        next(table.measure("cnn", ["default"], 1, 0.01))
