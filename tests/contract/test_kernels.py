"""A version that was published where BLAS takes one kernel is accepted where it takes another."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.artifact.builders import FILES, manifest_of, tiny_network

ROOT = Path(__file__).resolve().parents[2]
NEEDS = {"Haswell": "avx2", "SkylakeX": "avx512f", "Zen": "avx2", "Prescott": "sse3"}
FLAGS = Path("/proc/cpuinfo").read_text("utf-8").split() if Path("/proc/cpuinfo").exists() else []
KERNELS = [kernel for kernel, flag in NEEDS.items() if flag in FLAGS or (flag == "sse3" and "pni" in FLAGS)]


def under(kernel: str, *arguments: object) -> str:
    """What `tests.contract.kernels` prints where OpenBLAS takes this kernel."""
    command = [sys.executable, "-m", "tests.contract.kernels", *map(str, arguments)]
    environment = os.environ | {"OPENBLAS_CORETYPE": kernel}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{kernel}: {done.stderr}"
    return done.stdout


@pytest.mark.skipif(not KERNELS, reason="the processor's flags are not known here")
def test_a_version_published_under_one_kernel_is_accepted_under_every_other(tmp_path: Path) -> None:
    for seed, kernel in enumerate(KERNELS):
        under(kernel, "publish", tmp_path / "models", seed)
    allowed = manifest_of(tiny_network(), files=FILES).golden.tolerance
    for kernel in KERNELS:
        assert float(under(kernel, "load", tmp_path / "models")) < allowed / 10, "the tolerance has a wide margin"
        under(kernel, "load", ROOT / "tests" / "contract" / "published_earlier")
