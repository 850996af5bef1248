"""Back up, destroy, restore: with the commands of docs/deployment.md."""

import tempfile
from pathlib import Path

from compose_basics import DIGIT, PICTURE
from compose_page import follow
from compose_project import ADDRESS, ROOT, champion, deployment, inside, is_on, run_deployment, versions, wait_for
from compose_report import Part, Probe

from service.client import Recognizer

REVIEW = "/data/reviews/of-the-test"


def back_up_and_restore(probe: Probe) -> None:
    """After the restore, the same versions are there, the same one answers, and what people have told is kept."""
    with Recognizer(ADDRESS) as client:
        client.send_feedback(ROOT / PICTURE, DIGIT)
    inside("scheduler", "sh", "-c", f"mkdir -p /data/reviews && echo kept >{REVIEW}")
    before, serving, feedback = versions(), champion(), _feedback()
    probe.check(feedback != "", "a piece of feedback is stored", feedback)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        follow("Back up", folder)
        follow("Destroy", folder)
        follow("Restore", folder)
    probe.check(versions() == before, f"all {len(before)} versions are there again, and none was trained", versions())
    with Recognizer(ADDRESS) as client:
        reading = client.recognize(ROOT / PICTURE)
    good = (reading.digit, reading.model_version) == (DIGIT, serving)
    probe.check(good, f"version {serving} answers again", reading)
    probe.check(_feedback() == feedback, "the feedback is there again", _feedback())
    kept = inside("scheduler", "cat", REVIEW)
    probe.check(kept == "kept\n", "so are people's decisions about new data", kept)
    wait_for(lambda: is_on(deployment()), "the schedule is registered again")
    state = run_deployment()
    probe.check(state == "COMPLETED", "the schedule, which is not in the backup, is registered again and runs", state)


def _feedback() -> str:
    return inside("service", "sh", "-c", "cd /feedback && find . -type f -exec sha256sum {} + | sort")


PARTS: list[Part] = [("Everything is backed up, destroyed and restored", back_up_and_restore)]
