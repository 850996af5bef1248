"""Downloads the four MNIST files into a cache folder, from the first mirror that has the right bytes.

Mirrors that the user named are asked first, then two public ones, and last the copy in this repository, so that no
network is needed. A file is used, and appears in the cache under its own name, only after the sha256 of its unpacked
bytes has been compared with the pinned one:

    <cache>/train-images-idx3-ubyte.gz      verified; or without .gz, as the mirror has it
    <cache>/….gz.part, ….gz.part.json       an incomplete download, and what is needed to resume it
    <cache>/quarantine/                     files that were found damaged
    <cache>/.lock                           held while one process downloads, see `pipelines.lock`
"""

import logging
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx

from core.data.durable import storage_error, sync_folder
from core.data.mnist import FILES, MnistFile, locate
from core.errors import ConfigError, DataError, SourceError
from core.shipped import shipped
from pipelines.lock import lock_in, locked
from pipelines.sources.errors import AbsentError, MirrorError, OtherDataError
from pipelines.sources.exchange import FetchPolicy
from pipelines.sources.folder import FolderMirror
from pipelines.sources.lookalikes import other_data
from pipelines.sources.mirrors import SUFFIXES, Mirror, Say
from pipelines.sources.parts import Part, is_gzip, verify
from pipelines.sources.web import HttpMirror

__all__ = ["FALLBACKS", "PUBLIC_MIRRORS", "SHIPPED", "FetchedFile", "fetch_all"]

PUBLIC_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
SHIPPED = shipped("data/mnist")
FALLBACKS = (*PUBLIC_MIRRORS, SHIPPED.as_uri())

CACHE = "cache"
DEFAULT_POLICY = FetchPolicy()
LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class FetchedFile:
    """A verified file in the cache.

    Attributes:
        name: Without `.gz`.
        path: Its location, gzipped or plain.
        sha256: Of the unpacked bytes, in hexadecimal.
        source: The address of the mirror that served it, or "cache".
        cached: Whether it was in the cache already.
        bytes: Its size on disk.
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
    """Make sure that the files are in the cache and have the pinned bytes.

    Several processes may do so at once: one downloads, the others wait and find its files.

    Args:
        cache_dir: The cache folder, created if necessary. It may be read-only if it holds all files already.
        mirrors: Addresses to try first, in this order: http://…, https://… or file:///…
        fallbacks: Addresses to try after them.
        files: What to download.
        policy: Time limits and numbers of attempts.
        say: Receives a message for each event worth knowing.

    Returns:
        One item for each of `files`, in their order.

    Raises:
        SourceError: No mirror could deliver a file.
        ConfigError: An address is not valid; or one of `mirrors` has no such file, or has another data set.
        StorageError: The cache folder cannot be written.
    """
    named, others = ([_mirror(url, policy) for url in dict.fromkeys(urls)] for urls in (mirrors, fallbacks))
    try:
        # First without the lock, so that a complete cache costs no more than its verification.
        cached = tuple(found for file in files if (found := _cached(cache_dir, file)))
        if len(cached) == len(files):
            say(f"All {len(files)} files are in {cache_dir} already, and verified.")
            return cached
        with locked(lock_in(cache_dir), _waits(cache_dir, say), say):
            return tuple(_cached(cache_dir, file) or _fetched(cache_dir, file, named, others, say) for file in files)
    except OSError as error:
        raise storage_error(cache_dir, error) from error


def _mirror(url: str, policy: FetchPolicy) -> Mirror:
    """Make a mirror from its address, without any request to it.

    Raises:
        ConfigError: Not an http, https or file address.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path:
            return FolderMirror(Path(url2pathname(parts.path)))
        if parts.scheme in {"http", "https"} and parts.hostname:
            return HttpMirror(httpx.URL(url), policy)
    except (ValueError, httpx.InvalidURL) as error:
        raise ConfigError(f"mirror {url!r}: {error}") from error
    raise ConfigError(f"mirror {url!r}: expected http://…, https://… or file:///…, the folder of the four files")


def _waits(cache_dir: Path, say: Say) -> Say:
    return lambda holder: say(f"{holder} is downloading into {cache_dir}; waiting for it.")


def _places(cache_dir: Path, file: MnistFile) -> list[Path]:
    """Where a file is put in the cache: plain or gzipped, as the mirror has it."""
    return [cache_dir / file.name, cache_dir / f"{file.name}.gz"]


def _cached(cache_dir: Path, file: MnistFile) -> FetchedFile | None:
    """The file in the cache, if it exists there, in whichever layout, and has the pinned bytes."""
    for path in locate(cache_dir, file):
        with suppress(DataError, FileNotFoundError):
            verify(path, file)
            return FetchedFile(file.name, path, file.sha256, source=CACHE, cached=True, bytes=path.stat().st_size)
    return None


def _fetched(
    cache_dir: Path, file: MnistFile, named: Sequence[Mirror], others: Sequence[Mirror], say: Say
) -> FetchedFile:
    """Download a file that is missing from the cache or damaged there.

    A mirror that the user named and that has no such file is an error, once no other named one has delivered it: the
    address is wrong, and nobody who made that mistake wants its place to be taken in silence. One that fails may work
    again tomorrow, and does not stop tonight's run: the bytes are pinned, so any mirror's are the same.
    """
    _quarantine(cache_dir, file, say)
    failures: list[tuple[Mirror, MirrorError]] = []
    if fetched := _from(named, cache_dir, file, failures, say):
        return fetched
    for mirror, error in failures:
        if isinstance(error, AbsentError | OtherDataError):
            raise ConfigError(
                f"{file.name}: {mirror.name}, named by --mirror or NUMERAL_MIRRORS, {error}; correct the address, or "
                "leave it out to use the public mirrors"
            )
    if named and others:
        say(f"{file.name}: no mirror that was named has delivered it; asking the public ones.")
    if fetched := _from(others, cache_dir, file, failures, say):
        return fetched
    raise SourceError(
        f"{file.name}: no mirror could deliver it\n"
        + "".join(f"  - {mirror.name} {error}\n" for mirror, error in failures)
        + f"Name another one with --mirror URL, or put {file.name} (or {file.name}.gz) into {cache_dir}."
    )


def _from(
    mirrors: Sequence[Mirror], cache_dir: Path, file: MnistFile, failures: list[tuple[Mirror, MirrorError]], say: Say
) -> FetchedFile | None:
    """Download from the first mirror that delivers the file; None, and why is added to `failures`, if none does."""
    for mirror in mirrors:
        if mirror.down:
            failures.append((mirror, MirrorError(f"{mirror.down} (skipped, because it failed for an earlier file)")))
            continue
        try:
            part = mirror.deliver(file, cache_dir, say)
        except MirrorError as error:
            failures.append((mirror, error))
            say(
                f"{file.name}: {mirror.name} {error}{'; it is skipped for the remaining files' if mirror.down else ''}."
            )
            continue
        path = _land(part, cache_dir, file)
        size = path.stat().st_size
        say(f"{file.name}: {size:,} bytes from {mirror.name}, verified.")
        return FetchedFile(file.name, path, file.sha256, source=mirror.name, cached=False, bytes=size)
    return None


def _quarantine(cache_dir: Path, file: MnistFile, say: Say) -> None:
    """Move damaged files aside, so that they can be examined.

    Raises:
        ConfigError: A file is sound, but of another data set: somebody put it there, and it is theirs.
    """
    for path in locate(cache_dir, file):
        try:
            verify(path, file)
        except FileNotFoundError:
            continue
        except DataError as error:
            if other := other_data(path, file):
                raise ConfigError(f"{path} is {other}; move it away, and MNIST's is downloaded") from error
            entry = cache_dir / path.relative_to(cache_dir).parts[0]  # the folder, if it has one of its own
            aside = cache_dir / "quarantine" / f"{entry.name}.{secrets.token_hex(4)}"
            aside.parent.mkdir(exist_ok=True)
            entry.rename(aside)
            with suppress(PermissionError):  # another user's
                os.utime(aside, follow_symlinks=False)  # it is kept for some days from now, however old it is
            say(f"{error}; the damaged {path} was moved to {aside} and is downloaded again.")


def _land(part: Part, cache_dir: Path, file: MnistFile) -> Path:
    """Rename a verified part to its final name, with .gz if its bytes are gzip, whatever name was requested."""
    with part.path.open("rb+") as stream:
        plain, packed = _places(cache_dir, file)
        path = packed if is_gzip(stream) else plain
        os.fsync(stream.fileno())
    part.path.replace(path)
    sync_folder(cache_dir)
    for suffix in SUFFIXES:  # incomplete downloads from other mirrors
        Part(cache_dir / f"{file.name}{suffix}.part").discard()
    return path
