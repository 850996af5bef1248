"""Only one scheduler uses a data folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import ConfigError


@contextmanager
def sole_scheduler(data_dir: Path) -> Iterator[None]:
    """Hold a file lock, which the system releases when this process ends, even if it is killed.

    Raises:
        ConfigError: Another scheduler uses the data folder, or it cannot be written.
    """
    path = data_dir / "schedule.lock"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = path.open("a")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; choose a --data-dir that this user may write") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(f"another scheduler holds {path}; stop it, or choose another --data-dir") from error
        yield
