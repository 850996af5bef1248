"""The page, as `make web` shows it: the service if none answers yet, and the web server before it.

Both are stopped by Ctrl-C. A service that was there before stays.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.errors import NumeralError  # noqa: E402
from service.client import Recognizer  # noqa: E402

FEEDBACK = "feedback"
"""The folder with what people say on the page, for the next training: `pipelines retrain --feedback feedback`."""

STOPS_WITHIN = 30.0


def main() -> int:
    """Show the page until a signal; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="of the service")
    parser.add_argument("--web-port", type=int, required=True, help="of the page")
    asked = parser.parse_args()
    os.chdir(ROOT)
    os.environ.setdefault("NUMERAL_FEEDBACK", FEEDBACK)
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches the two programs themselves
    signal.signal(signal.SIGTERM, _leave)

    if _answers(address := f"127.0.0.1:{asked.port}"):
        print(f"A service answers at {address} already; the page asks that one.", flush=True)
        return _show_page(address, asked.web_port)
    with _program("serve", "--port", str(asked.port)) as (service, line):
        if not line:
            return service.wait()
        return _show_page(f"127.0.0.1:{line.strip().rpartition(':')[2]}", asked.web_port)


def _show_page(address: str, port: int) -> int:
    with _program("web", "--port", str(port), "--address", address) as (web, line):
        if line:
            print(f"\n   Draw a digit at {line.split()[-1]} (Ctrl-C stops)\n", flush=True)
        return web.wait()


def _answers(address: str) -> bool:
    """Whether a service is there, with or without a version."""
    try:
        with Recognizer(address, timeout=3) as client:
            return bool(client.health())
    except NumeralError:
        return False


@contextmanager
def _program(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A program, and the line that says where it listens; "" if it does not start. It is stopped afterwards."""
    command = [sys.executable, "-m", "service", *arguments, "--log-level", "warning"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # noqa: S101 — a pipe, see above
        yield process, process.stdout.readline()
    finally:
        process.terminate()
        process.wait(STOPS_WITHIN)


def _leave(_: int, __: FrameType | None) -> None:
    sys.exit(0)  # by way of the blocks above, which stop the programs


if __name__ == "__main__":
    sys.exit(main())
