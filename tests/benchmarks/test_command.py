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
