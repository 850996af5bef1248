"""The inputs → their parts, on disk: neither the files nor the items are ever all in memory.

Where one part ends and the next begins depends on the inputs alone, never on workers: the images of a part are computed
in the same batches whoever does it, and so to the same bits.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.data.durable import whole_file
from core.data.gunzip import GZIP_MAGIC, gunzip
from core.data.header import MAX_HEADER, Header, checked_header, parse_header
from core.digit import PIXELS, SIDE
from core.errors import ConfigError, IdxError
from pipelines.score.input_files import Content, InputFile, contains, input_files
from pipelines.score.part import FileIdentity, Part
from pipelines.score.picture_table import row_groups

__all__ = ["Partition"]

IMAGES = 2048
"""IDX images in a part: 1.6 MB, some seconds for a large network; a multiple of a forward pass's 64."""

PICTURES = 128
"""Pictures in a part: each takes milliseconds."""

PICTURE_BYTES = 32 * 1024 * 1024
"""Encoded bytes from which a part takes no more pictures: large ones take long."""


@dataclass
class Partition:
    """The list of parts, one a line of a file.

    Attributes:
        path: The list.
        parts: How many there are.
        items: How many items they have.
    """

    path: Path
    parts: int = 0
    items: int = 0
    _pictures: list[FileIdentity] = field(default_factory=list)
    _given: str = ""

    @classmethod
    def of(cls, inputs: Sequence[str], table: Path, folder: Path, say: Callable[[str], None]) -> "Partition":
        """Find the inputs, look what is in them, and write the list of their parts.

        Args:
            inputs: See `input_files`.
            table: Where the rows will be written.
            folder: Where the list goes, and gzipped IDX files are unpacked.
            say: Receives a message about what is passed over.

        Raises:
            ConfigError: An input does not exist, or there is nothing to read in them.
            DataError: An IDX file or a Parquet table is damaged, or does not hold images.
        """
        partition = cls(folder / "parts.jsonl")
        labels = 0
        with whole_file(partition.path) as list_file:
            for found in _with_content(input_files(inputs, without=table)):
                if found[1] is Content.LABELS and not found[0].named:
                    labels += 1
                    continue
                for part in partition._take(*found, folder):
                    list_file.write(part.encode().encode() + b"\n")
            for part in partition._rest():
                list_file.write(part.encode().encode() + b"\n")
        if labels:
            say(f"passed over {labels:,} IDX files of labels: they hold no images")
        if not partition.items:
            raise ConfigError(f"INPUT {' '.join(inputs)}: no picture and no image in it; hidden files are passed over")
        return partition

    def __iter__(self) -> Iterator[Part]:
        with self.path.open(encoding="utf-8") as lines:
            yield from map(Part.decode, lines)

    def _take(self, file: InputFile, content: Content, folder: Path) -> Iterator[Part]:
        """The parts that are complete with one more file: of the pictures before it, and its own."""
        identity = FileIdentity.of(file.path)
        if content is Content.PICTURE:
            full = len(self._pictures) == PICTURES or sum(max(p.size, 0) for p in self._pictures) > PICTURE_BYTES
            if full or (self._pictures and self._given != file.given):
                yield from self._rest()
            self._pictures.append(identity)
            self._given = file.given
            return
        yield from self._rest()
        parts = _idx_parts(identity, folder) if content is not Content.PARQUET else _parquet_parts(identity)
        yield from map(self._counted, parts)

    def _rest(self) -> Iterator[Part]:
        """The part of the pictures that wait, if any do."""
        if self._pictures:
            files = tuple(self._pictures)
            self._pictures.clear()
            yield self._counted(Part(Content.PICTURE, self._given, str(Path.cwd()), files, len(files)))

    def _counted(self, part: Part) -> Part:
        self.parts += 1
        self.items += part.count
        return part


def _with_content(files: Iterator[InputFile]) -> Iterator[tuple[InputFile, Content]]:
    for file in files:
        yield file, contains(file.path)


def _idx_parts(file: FileIdentity, folder: Path) -> Iterator[Part]:
    """The parts of an IDX file of images, which is unpacked first if it is gzipped."""
    path = Path(file.path)
    with path.open("rb") as opened:
        gzipped = opened.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    unpacked = _unpacked(file, folder) if gzipped else None
    header = _header(unpacked or path, file.path)
    for first in range(0, header.shape[0], IMAGES):
        yield Part(
            Content.IDX,
            file.path,
            str(Path.cwd()),
            (file,),
            count=min(IMAGES, header.shape[0] - first),
            first=first,
            start=header.start + first * PIXELS,
            unpacked=str(unpacked.absolute()) if unpacked else "",
        )


def _header(path: Path, name: str) -> Header:
    """The header of an unpacked IDX file of images, which must have the announced size.

    Raises:
        IdxError: The file is not uint8 (N, 28, 28), or has another size.
    """
    with path.open("rb") as file:
        header = checked_header(file.read(MAX_HEADER), path.stat().st_size, name=name, magic=None, limit=sys.maxsize)
    if header.dtype != "u1" or header.shape[1:] != (SIDE, SIDE):
        raise IdxError(
            f"{name}: {header.dtype.name} {header.shape}, expected images, uint8 (N, {SIDE}, {SIDE}); leave it out"
        )
    return header


def _unpacked(file: FileIdentity, folder: Path) -> Path:
    """Where a gzipped IDX file is unpacked, piece by piece, unless an earlier run has done so.

    Raises:
        IdxError: It is damaged, or unpacks to more than its IDX header announces.
        InputChangedError: It changed meanwhile.
    """
    target = folder / f"{hashlib.sha256(repr(file).encode()).hexdigest()[:32]}.idx"
    if not target.exists():
        total = _announced(file.path)
        with Path(file.path).open("rb") as packed, whole_file(target) as whole:
            for chunk in gunzip(packed, name=file.path, limit=total):
                whole.write(chunk)
            file.check()
    return target


def _announced(path: str) -> int:
    """The size that the header of a gzipped IDX file announces for all of it, in bytes."""
    head = b""
    with Path(path).open("rb") as packed:
        for chunk in gunzip(packed, name=path, limit=sys.maxsize):
            head += chunk
            if len(head) >= MAX_HEADER:
                break
    header = parse_header(head[:MAX_HEADER], name=path, limit=sys.maxsize)
    return header.total if header else len(head)  # cut short within the header, as the check of its size will say


def _parquet_parts(file: FileIdentity) -> Iterator[Part]:
    """The parts of a Parquet table: none reaches over the end of a row group."""
    column, groups = row_groups(file.path)
    before = 0
    for group, rows in enumerate(groups):
        for start in range(0, rows, PICTURES * 4):
            count = min(PICTURES * 4, rows - start)
            yield Part(
                Content.PARQUET,
                file.path,
                str(Path.cwd()),
                (file,),
                count=count,
                first=before + start,
                start=start,
                group=group,
                column=column,
            )
        before += rows
