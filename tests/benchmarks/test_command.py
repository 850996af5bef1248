"""The command, run as people run it, where no peer is installed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIELDS = {
    *("case", "peer", "ours", "theirs", "unit", "ratio"),
    *("low", "high", "agrees", "gemm_share", "version"),
}
# Whatever is installed, `importlib.metadata` finds no peer: this is what the runner asks.
WITHOUT_PEERS = """
import importlib.metadata as metadata, runpy
found = metadata.version
def version(name):
    if name in {"torch", "scikit-learn", "onnxruntime"}:
        raise metadata.PackageNotFoundError(name)
    return found(name)
metadata.version = version
runpy.run_module("benchmarks", run_name="__main__", alter_sys=True)
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_PEERS, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("benchmark", "case", "peers"),
    [
        ("training", "mlp-32", ["pytorch", "pytorch, 1 thread", "scikit-learn", "scikit-learn, 1 thread"]),
        ("inference", "mlp-1", ["onnxruntime"]),
    ],
)
def test_without_peers_json_has_our_figure_and_names_each_of_them(benchmark, case, peers):
    done = run(benchmark, "--json", "--case", case, "--rounds", "1", "--seconds", "0.05")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [(row["case"], row["peer"]) for row in rows] == [(case, peer) for peer in peers]
    for row in rows:
        assert row.keys() == FIELDS
        assert row["ours"] > 0
        assert row["unit"] == "images/s"
        assert 0 < row["gemm_share"] < 1
        assert row["theirs"] is row["ratio"] is row["low"] is row["high"] is row["agrees"] is row["version"] is None


def test_an_unknown_case_ends_in_one_sentence_and_status_2():
    done = run("training", "--json", "--case", "mpl-32")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "error: no case matches 'mpl-32'; known: mlp-32, mlp-128, mlp-1024-128, cnn, cnn-wide\n" in done.stderr
