"""A child that dies with its parent: seen on real processes."""

import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")

PARENT = """
import subprocess, sys
from core.orphans import parent_death_hook
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], preexec_fn=parent_death_hook())
print(child.pid, flush=True)
child.wait()
"""


def test_a_child_is_killed_when_its_parent_is_killed():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = Path("/proc") / parent.stdout.readline().strip()
        assert child.exists()
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        while child.exists():
            sleep(0.02)
