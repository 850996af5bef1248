"""Writing in a local folder: a file is whole and on the disk before it has its name, or it never has one.

The object store's library writes no file through to the disk: after a power failure, a version whose manifest is there
might lack its weights, or an alias point nowhere. So local folders are written by this code. It keeps to the library's
way (a file with a provisional name, which is linked to its own name only if that is free), and to its provisional
names, `weights.safetensors#123`, which readers pass over.
"""

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from core.data.durable import sync_folder

__all__ = ["create_file", "remove_file"]

_ATTEMPTS = 10
"""A folder may be removed as empty by another process right before the first file in it is opened."""


def create_file(file: Path, data: bytes) -> bool:
    """Create a file, and what is missing of the folders above it. When this returns, all of it is on the disk.

    Returns:
        False, and nothing is changed, if there is something of this name already.

    Raises:
        OSError: It cannot be written; nothing of it is left.
    """
    if os.path.lexists(file):
        return False  # without writing megabytes in order to find that out
    for _ in range(_ATTEMPTS):
        made = _make_folders(file.parent)
        try:
            created = _write(file, data)
        except FileNotFoundError:
            continue
        except OSError:
            _remove_empty(made[::-1])
            raise
        for folder in {file.parent, *(each.parent for each in made)}:
            sync_folder(folder)
        return created
    raise FileNotFoundError(errno.ENOENT, "the folder is removed again and again", str(file.parent))


def remove_file(file: Path, root: Path) -> None:
    """Remove a file if it is there, and the folders between it and `root` that are empty then."""
    with suppress(FileNotFoundError):
        file.unlink()
        _remove_empty([folder for folder in file.parents if folder.is_relative_to(root) and folder != root])


def _write(file: Path, data: bytes) -> bool:
    """Write under a provisional name, then give the file its own, unless that is taken."""
    provisional = file.with_name(f"{file.name}#{secrets.randbelow(10**12)}")
    try:
        with provisional.open("xb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(provisional, file)
    except FileExistsError:
        return False
    finally:
        provisional.unlink(missing_ok=True)
    return True


def _make_folders(folder: Path) -> list[Path]:
    """The folders that were missing and have been made, the outermost first."""
    try:
        folder.mkdir()
    except FileExistsError:
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "there is a file where a folder is expected", str(folder)) from None
        return []
    except FileNotFoundError:
        return [*_make_folders(folder.parent), *_make_folders(folder)]
    return [folder]


def _remove_empty(folders: list[Path]) -> None:
    with suppress(OSError):  # not empty, or a link: what is above it is not empty either
        for folder in folders:
            folder.rmdir()
