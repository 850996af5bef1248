"""Files that are changed while a program watches them."""

from pathlib import Path

__all__ = ["replace"]


def replace(file: Path, contents: bytes, mode: int = 0o644) -> None:
    """Change a file as a careful program does: whoever reads it meanwhile finds all of the old or all of the new.

    A file that is opened and then written is empty in between. A program that looks at it just then, as one on a busy
    machine will, rightly reports that it is empty.
    """
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.touch(mode)
    unfinished.write_bytes(contents)
    unfinished.replace(file)
