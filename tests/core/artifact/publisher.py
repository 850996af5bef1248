"""A publisher that runs in a process of its own, and can be made to die at a given point.

The tests start it, with the project's root in PYTHONPATH. It prints one line for each version: its number and the
digest of its weights.
"""

import argparse
import os
import signal
import sys
import time
from itertools import count
from pathlib import Path

from builders import publish

from core.artifact.manifest import WEIGHTS
from core.artifact.objects import Objects
from core.artifact.repository import Repository
from core.errors import RepositoryError


def die_at(moment: str) -> None:
    """Let SIGKILL strike right before or after the n-th object is put: `before:3`, `after:3`."""
    when, number = moment.split(":")
    create, puts = Objects.create, count(1)

    def create_or_die(self: Objects, path: str, data: bytes) -> bool:
        now = next(puts) == int(number)
        if now and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        created = create(self, path, data)
        if now and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return created

    Objects.create = create_or_die  # type: ignore[method-assign]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--versions", type=int, default=1)
    parser.add_argument("--die", metavar="MOMENT")
    parser.add_argument("--await", dest="signal", type=Path, help="begin once this file is there")
    parser.add_argument("--claim-megabytes", type=int, help="only claim a number, with weights of this size")
    parser.add_argument("--user", type=int, help="become this user first")
    options = parser.parse_args()
    if options.die:
        die_at(options.die)
    if options.user:
        os.setuid(options.user)
    while options.signal and not options.signal.exists():
        time.sleep(0.001)
    repository = Repository(options.url, writable=True)
    if options.claim_megabytes:
        repository.claim(bytes(options.claim_megabytes << 20))
        return
    for number in range(options.versions):
        try:
            manifest = publish(repository, seed=options.seed + number)
            repository.promote(manifest.version, by=f"publisher {options.seed}", why="the newest")
        except RepositoryError as error:
            sys.exit(f"{type(error).__name__}: {error}")
        print(manifest.version, manifest.files[WEIGHTS].sha256, flush=True)


if __name__ == "__main__":
    main()
