"""The bar of a job, in a real terminal and elsewhere."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
from pipelines import voice
from pipelines.progress import Bar
voice.prepare()
with Bar("sweep", "trials", 3, done=1) as bar:
    print("live" if bar.live else "not live")
    bar.show(2, "halfway")
    voice.say("a message")
    bar.show(0, "again", total=9, unit="seeds")
"""


def in_terminal() -> str:
    """What a terminal is shown."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, stdout=theirs, stderr=theirs
    ) as running:
        os.close(theirs)
        shown = b""
        try:
            while data := os.read(ours, 65_536):
                shown += data
        except OSError:  # Linux ends the reading so when the other side is closed
            pass
        os.close(ours)
    assert running.returncode == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())  # without colors and movements of the cursor


def test_a_terminal_shows_the_bar_with_messages_above_it():
    shown = in_terminal()
    assert "\rlive\r\n" in shown
    assert "1/3 trials · " in shown
    assert "0/9 seeds · again" in shown  # what comes in between is drawn only if there is time for it
    assert "a message\r\n" in shown


def test_elsewhere_there_is_no_bar_and_messages_are_lines():
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "not live\n"
    assert done.stderr == "a message\n"
