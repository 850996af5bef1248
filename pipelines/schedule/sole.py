"""Only one scheduler uses a data folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import ConfigError
from pipelines.lock import locked


@contextmanager
def sole_scheduler(data_dir: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Keep every other scheduler from the data folder while the block lasts.

    Args:
        data_dir: The data folder, which is made if necessary.
        say: Receives a warning if its file system knows no locks, so that nothing keeps another scheduler out.

    Raises:
        ConfigError: Another scheduler uses the data folder.
        StorageError: It cannot be written.
    """
    path = data_dir / "schedule.lock"

    def refuse(holder: str) -> None:
        raise ConfigError(f"another scheduler holds {path}: {holder}; stop it, or choose another --data-dir")

    with locked(path, refuse, say):
        yield
