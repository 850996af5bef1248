"""Brings the four MNIST files into a cache folder, from the first mirror that has the right bytes.

The order: the mirrors that the user named, two public ones, and last the copy that ships with the repository, so that
no network is needed. Nothing is used before the sha256 of its unpacked bytes is the pinned one, and nothing appears in
the cache under its own name before that:

    <cache>/train-images-idx3-ubyte.gz      verified; or without .gz, as the mirror has it
    <cache>/….gz.part, ….gz.part.json       a download that is not complete, and what it takes to resume it
    <cache>/quarantine/                     files that were found damaged
    <cache>/.lock                           held while one process fetches; released even when that process is killed
"""

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from core.data.mnist import FILES, MnistFile
from core.errors import DataError, SourceError
from pipelines.sources.exchange import FetchPolicy, MirrorError
from pipelines.sources.mirrors import SUFFIXES, Mirror, Say, open_mirror
from pipelines.sources.parts import Part, is_gzip, verify

__all__ = ["FALLBACKS", "PUBLIC_MIRRORS", "SHIPPED", "FetchedFile", "fetch_all"]

PUBLIC_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
SHIPPED = Path(__file__).resolve().parents[2] / "data" / "mnist"
FALLBACKS = (*PUBLIC_MIRRORS, SHIPPED.as_uri())

CACHE = "cache"
DEFAULT_POLICY = FetchPolicy()
LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class FetchedFile:
    """A verified file in the cache.

    Attributes:
        name: Without `.gz`.
        path: Where it is, gzipped or plain.
        sha256: Of the unpacked bytes, in hexadecimal.
        source: The address of the mirror that served it, or "cache".
        cached: It was there already.
        bytes: Its size as it is stored.
    """

    name: str
    path: Path
    sha256: str
    source: str
    cached: bool
    bytes: int


def fetch_all(
    cache_dir: Path,
    *,
    mirrors: Sequence[str] = (),
    fallbacks: Sequence[str] = FALLBACKS,
    files: Sequence[MnistFile] = FILES,
    policy: FetchPolicy = DEFAULT_POLICY,
    say: Say = LOGGER.info,
) -> tuple[FetchedFile, ...]:
    """Make sure that the files are in the cache, and are the right ones.

    Safe to run in several processes at once: one fetches, the others wait and find its files.

    Args:
        cache_dir: The cache folder, made if need be. When all files are there, it may be read-only.
        mirrors: Addresses to try first, in this order: http://…, https://… or file:///…
        fallbacks: Addresses to try after them.
        files: What to fetch.
        policy: How long a mirror is given, and how often.
        say: Gets a sentence for each event worth knowing.

    Returns:
        One for each of `files`, in their order.

    Raises:
        SourceError: No mirror could deliver a file, or the cache folder cannot be used.
        ConfigError: An address is none.
    """
    chain = [open_mirror(url, policy) for url in dict.fromkeys((*mirrors, *fallbacks))]
    try:
        # First without the lock: a complete cache costs its verification and nothing else.
        there = tuple(found for file in files if (found := _cached(cache_dir, file)))
        if len(there) == len(files):
            say(f"All {len(files)} files are in {cache_dir} already, and verified.")
            return there
        cache_dir.mkdir(parents=True, exist_ok=True)
        with _locked(cache_dir, say):
            return tuple(_cached(cache_dir, file) or _fetched(cache_dir, file, chain, say) for file in files)
    except OSError as error:
        raise SourceError(f"cache folder {cache_dir}: {error}; make it writable, or name another one") from error


@contextmanager
def _locked(cache_dir: Path, say: Say) -> Iterator[None]:
    """Be the only one who writes there. The file stays behind: removing it would let two processes lock two files."""
    with (cache_dir / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another process is fetching into {cache_dir}; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _places(cache_dir: Path, file: MnistFile) -> list[Path]:
    """Where a file may lie in the cache: plain first, as whoever loads a folder prefers it."""
    return [cache_dir / file.name, cache_dir / f"{file.name}.gz"]


def _cached(cache_dir: Path, file: MnistFile) -> FetchedFile | None:
    """The file in the cache, if it is there and has the pinned bytes."""
    for path in _places(cache_dir, file):
        with suppress(DataError, FileNotFoundError):
            verify(path, file)
            return FetchedFile(file.name, path, file.sha256, source=CACHE, cached=True, bytes=path.stat().st_size)
    return None


def _fetched(cache_dir: Path, file: MnistFile, chain: Sequence[Mirror], say: Say) -> FetchedFile:
    """Bring a file that is not in the cache, or is damaged there."""
    _quarantine(cache_dir, file, say)
    reasons = []
    for mirror in chain:
        if mirror.down:
            reasons.append(f"{mirror.name} {mirror.down} (not asked again)")
            continue
        try:
            part = mirror.deliver(file, cache_dir, say)
        except MirrorError as error:
            reasons.append(f"{mirror.name} {error}")
            say(f"{file.name}: {mirror.name} {error}{'; it is not asked again' if mirror.down else ''}.")
            continue
        path = _land(part, cache_dir, file)
        size = path.stat().st_size
        say(f"{file.name}: {size:,} bytes from {mirror.name}, verified.")
        return FetchedFile(file.name, path, file.sha256, source=mirror.name, cached=False, bytes=size)
    raise SourceError(
        f"{file.name}: no mirror could deliver it\n"
        + "".join(f"  - {reason}\n" for reason in reasons)
        + f"Name another one with --mirror URL, or put {file.name} (or {file.name}.gz) into {cache_dir}."
    )


def _quarantine(cache_dir: Path, file: MnistFile, say: Say) -> None:
    """Set damaged files aside, for whoever wants to know what happened to them."""
    for path in _places(cache_dir, file):
        try:
            verify(path, file)
        except FileNotFoundError:
            continue
        except DataError as error:
            aside = cache_dir / "quarantine" / f"{path.name}.{secrets.token_hex(4)}"
            aside.parent.mkdir(exist_ok=True)
            path.rename(aside)
            say(f"{error}; the damaged {path} is now {aside}, and is fetched again.")


def _land(part: Part, cache_dir: Path, file: MnistFile) -> Path:
    """Give verified bytes their name, at once and for good: with .gz if they are gzip, whatever was asked for."""
    with part.path.open("rb+") as stream:
        plain, packed = _places(cache_dir, file)
        path = packed if is_gzip(stream) else plain
        os.fsync(stream.fileno())
    part.path.replace(path)
    for suffix in SUFFIXES:  # what other mirrors left half-way
        Part(cache_dir / f"{file.name}{suffix}.part").discard()
    return path
