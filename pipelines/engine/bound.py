"""A process that ends with the one that started it, however that one ends.

`python -m pipelines.engine.bound MODULE ARGUMENT…` runs a module like `python -m MODULE ARGUMENT…`, but kills itself
when its standard input is closed, as the system does for a process that is killed. On Linux the kernel kills it as
well, which also ends a process that hangs or is stopped. It has a session of its own, so that Ctrl-C in a terminal does
not reach it: the process that started it decides when it ends.
"""

import os
import runpy
import signal
import subprocess
import sys
import threading
from typing import IO

from core.orphans import die_with_parent
from pipelines.engine.environment import child_environment


def start(module: str, *arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
    """Start a module as a bound process, without output.

    The kernel takes the end of the *thread* that starts a process for the end of its parent: call this in a thread that
    lives as long as the process should.

    Args:
        module: What to run.
        arguments: Its command line.
        environment: Variables in addition to this process's own.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-m", __spec__.name, module, *arguments],
        env=child_environment() | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end(process: "subprocess.Popen[bytes]", *, within: float) -> None:
    """Ask a process to end, and kill it if it has not after `within` seconds."""
    process.terminate()
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


def _end_with(lifeline: IO[bytes]) -> None:
    lifeline.read()  # nothing is ever sent: it is the end
    os.kill(os.getpid(), signal.SIGKILL)


def _main() -> None:
    die_with_parent()
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
