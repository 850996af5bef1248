"""The work folder of a run, and those of its ensemble's members: held by one run at a time.

The results of an unfinished run are found by its fingerprint, so a second run of the same data, recipe and code works
in the same folder; and an ensemble shares its members' folders with every run that trains one of them. Two of them at
once would write over, and at the end remove, each other's files.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from core.data.durable import UNFINISHED
from pipelines.lock import locked
from pipelines.retrain import training
from pipelines.retrain.run import Run

__all__ = ["LOCK", "held", "lock_of"]

LOCK = ".lock"
"""What the names of locks end with."""


@contextmanager
def held(run: Run, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the folders that a run works in while the block lasts; wait first while another run holds one of them.

    After the wait, ask again what is left to do: the other run may have done it.

    Args:
        run: What is about to be trained.
        say: Receives each message.

    Raises:
        StorageError: A folder cannot be made.
    """

    def waiting(holder: str) -> None:
        say(f"another run ({holder}) trains this; waiting for it to end")

    with ExitStack() as locks:
        # In one order for all runs, so that no two can wait for each other.
        for folder in sorted(training.folders(run.dataset, run.recipe, run.work)):
            locks.enter_context(locked(lock_of(folder), waiting, say))
            # What is unfinished is of a run that was killed, since whoever holds the folder writes there alone.
            for file in folder.glob(UNFINISHED):
                with suppress(OSError):
                    file.unlink()
        yield


def lock_of(folder: Path) -> Path:
    """The lock of a work folder: beside it, since the folder itself comes and goes."""
    return folder.with_name(f"{folder.name}{LOCK}")
