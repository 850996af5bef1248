"""A workshop: folders of its own, and the real commands that work in them, each as its own process."""

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document and nothing else."""
        assert self.status in (0, 3), self.stderr  # 3: the gate has rejected a version
        return json.loads(self.stdout)


@dataclass(frozen=True)
class Workshop:
    """Folders of its own, and the commands that work in them."""

    environment: dict[str, str]
    repository: Path
    data_dir: Path

    def command(self, package: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", package, *arguments]

    def start(self, package: str, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(package, *arguments),
            cwd=ROOT,
            env=self.environment,
            text=True,
            start_new_session=True,
            **options,
        )

    def run(self, package: str, *arguments: str) -> Ended:
        done = subprocess.run(
            self.command(package, *arguments),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def retrain(self, *overrides: str, promote: str = "gate") -> Ended:
        """A quick retraining: two epochs of large batches, a second of training."""
        settings = ("train.epochs=2", "train.batch_size=64", *overrides)
        words = [word for setting in settings for word in ("--set", setting)]
        return self.run("pipelines", "retrain", "--json", "--promote", promote, *words)


def processes_that_mention(text: str) -> list[str]:
    """The command lines of all processes with `text` in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it ended meanwhile, or is not ours
            if text.encode() in process.read_bytes():
                found.append(json.dumps((process.parent / "cmdline").read_text().split("\0")))
    return found
