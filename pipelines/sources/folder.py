"""A mirror that is a folder on this machine."""

from collections.abc import Iterator
from pathlib import Path

from core.data.mnist import MnistFile, locate
from pipelines.sources.errors import AbsentError, MirrorError, RefusedError
from pipelines.sources.mirrors import Say, check, largest
from pipelines.sources.parts import CHUNK, Part, write_all

__all__ = ["FolderMirror"]


class FolderMirror:
    """A folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = folder.absolute().as_uri()
        self.down: str | None = None

    def deliver(self, file: MnistFile, folder: Path, say: Say) -> Part:  # noqa: ARG002 - a copy needs no message
        """As `Mirror.deliver`."""
        failure: MirrorError = AbsentError(f"has neither {file.name}.gz nor {file.name}")
        for source in self._located(file):
            part = Part(folder / f"{file.name}.part")
            part.begin(self.name, validator=None)
            with part.append() as target:
                for chunk in _read(source, largest(file)):
                    write_all(target, chunk)
            try:
                check(part, file)
            except RefusedError as error:  # another of its names may lead to the sound one
                failure = error
            else:
                return part
        raise failure

    def _located(self, file: MnistFile) -> list[Path]:
        if not self._folder.exists():
            raise AbsentError("does not exist")
        try:
            return locate(self._folder, file)
        except OSError as error:
            raise RefusedError(f"cannot be read: {error}") from error


def _read(source: Path, limit: int) -> Iterator[bytes]:
    try:
        with source.open("rb") as stream:
            while limit > 0 and (chunk := stream.read(CHUNK)):
                limit -= len(chunk)
                yield chunk
    except OSError as error:
        raise RefusedError(f"cannot be read: {error}") from error
