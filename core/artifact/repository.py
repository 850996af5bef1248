"""The repository of versions: a folder, a bucket or memory, with the same guarantees on each.

    <repository>/<name>/7/weights.safetensors          written first: claims the number 7
    <repository>/<name>/7/report.html, card.md         for people
    <repository>/<name>/7/manifest.json                written last: now, and only now, version 7 exists
    <repository>/<name>/aliases/champion/000003.json   the third move of the alias

Every object is created only if absent and never overwritten. So two writers cannot claim the same number, a kill at any
point leaves earlier versions complete and the new one absent, and the history of an alias cannot be lost.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from core.artifact.alias import AliasLog, Move, read_move, standing_promotions
from core.artifact.manifest import MANIFEST, WEIGHTS, FileEntry, Manifest
from core.artifact.objects import Objects, StoredObject
from core.errors import ArtifactError, DamagedVersionError, ManifestError, RepositoryError, VersionNotFoundError

__all__ = ["CHAMPION", "MODEL", "Draft", "Repository", "Snapshot"]

MODEL = "mnist"
"""The name under which versions are published."""

CHAMPION = "champion"
"""The alias that the service follows."""

ABANDONED_AFTER = timedelta(days=1)
"""A number that was claimed longer ago and has no manifest belongs to a publisher that was killed."""


@dataclass(frozen=True)
class Snapshot:
    """The repository as one listing showed it.

    Attributes:
        versions: The versions that exist (with a manifest), ascending.
        aliases: The version that each alias points to.
        digest: Changes whenever any object of the model appears, changes or vanishes.
        stamps: For each number, a digest that changes whenever one of its own objects does.
    """

    versions: tuple[int, ...]
    aliases: dict[str, int]
    digest: str
    stamps: dict[int, str] = field(default_factory=dict)

    @property
    def champion(self) -> int | None:
        """The version that the champion alias points to; None if nothing has been promoted."""
        return self.aliases.get(CHAMPION)


@dataclass
class Draft:
    """A version number that is claimed but not yet published: the version does not exist until `publish`."""

    version: int
    files: dict[str, FileEntry] = field(default_factory=dict)
    _objects: Objects = field(kw_only=True, repr=False)
    _model: str = field(kw_only=True)

    def add(self, filename: str, data: bytes) -> None:
        """Store one more file of the version.

        Raises:
            RepositoryError: The file exists already, or cannot be written.
        """
        path = f"{self._model}/{self.version}/{filename}"
        if not self._objects.create(path, data):
            raise RepositoryError(f"repository {self._objects.url}: {path} is there already; it is never overwritten")
        self.files[filename] = FileEntry.of(data)

    def publish(self, manifest: Manifest) -> None:
        """Write the manifest: from then on the version exists.

        Raises:
            ArtifactError: The manifest describes another version, or other files.
            RepositoryError: It cannot be written.
        """
        described = (manifest.name, manifest.version, manifest.files)
        if described != (self._model, self.version, self.files):
            raise ArtifactError(f"the manifest of {manifest.name} {manifest.version} does not describe draft {self}")
        path = f"{self._model}/{self.version}/{MANIFEST}"
        if not self._objects.create(path, manifest.encode()):
            raise RepositoryError(f"repository {self._objects.url}: {path} is there already; it is never overwritten")


class Repository:
    """The versions and aliases of one model."""

    def __init__(self, url: str, *, writable: bool = False, model: str = MODEL) -> None:
        """Name a repository; nothing is read or written yet.

        Args:
            url: As `core.artifact.location` reads it.
            writable: Whether to create a missing local folder.
            model: The name under which the versions are published.

        Raises:
            ConfigError: The URL names no repository.
        """
        self._objects = Objects(url, writable=writable)
        self.location = self._objects.location
        self.url = self._objects.url
        self.model = model
        self._version_file = re.compile(rf"{re.escape(model)}/([1-9]\d*)/(.+)")
        self._move_file = re.compile(rf"{re.escape(model)}/aliases/([^/]+)/\d{{6,}}\.json")
        self._moves: dict[StoredObject, Move] = {}  # the latest move of each alias, as of the last snapshot

    # reading

    def exists(self) -> bool:
        """Whether the local folder exists; a bucket is assumed to."""
        return self._objects.exists()

    def versions(self) -> list[int]:
        """The versions that exist, ascending."""
        return sorted(n for n, files in self._numbers().items() if MANIFEST in files)

    def snapshot(self) -> Snapshot:
        """Versions, aliases, and digests that show whether anything has changed."""
        listing = self._objects.list(self.model)
        versions = sorted(n for n, files in self._by_number(o.path for o in listing).items() if MANIFEST in files)
        own: dict[int, list[StoredObject]] = {}
        newest: dict[str, StoredObject] = {}  # the last move of each alias
        for found in listing:
            if match := self._version_file.fullmatch(found.path):
                own.setdefault(int(match[1]), []).append(found)
            elif match := self._move_file.fullmatch(found.path):
                newest[match[1]] = max(newest.get(match[1], found), found, key=lambda o: (len(o.path), o.path))
        # If nothing is new, this costs one listing and no read: only moves that were not seen before are read.
        known = self._moves
        self._moves = {move: known.get(move) or read_move(self._objects, move.path) for move in newest.values()}
        aliases = {name: self._moves[newest[name]].version for name in sorted(newest)}
        stamps = {number: _stamp(objects) for number, objects in own.items()}
        return Snapshot(tuple(versions), aliases, _stamp(listing), stamps)

    def manifest(self, version: int) -> Manifest:
        """The manifest of one version.

        Raises:
            VersionNotFoundError: There is no such version.
            ManifestError: The manifest is not valid.
        """
        path = f"{self.model}/{version}/{MANIFEST}"
        data = self._objects.get(path)
        if data is None:
            known = ", ".join(map(str, self.versions())) or "none"
            raise VersionNotFoundError(f"{self.model} has no version {version}; known: {known}")
        manifest = Manifest.decode(data, name=path)
        if (manifest.name, manifest.version) != (self.model, version):
            raise ManifestError(f"{path}: describes {manifest.name} {manifest.version}; was the folder copied?")
        return manifest

    def read(self, manifest: Manifest, filename: str = WEIGHTS) -> bytes:
        """One file of a version, with its digest checked.

        Raises:
            DamagedVersionError: The file is missing, or is not the one that the manifest describes.
        """
        path = f"{self.model}/{manifest.version}/{filename}"
        entry = manifest.files.get(filename)
        if entry is None:
            raise DamagedVersionError(f"{path}: the manifest lists no such file; it lists {', '.join(manifest.files)}")
        data = self._objects.get(path, entry.size)
        if data is None:
            raise DamagedVersionError(f"{path}: missing, though the manifest lists it")
        found = FileEntry.of(data)
        if found != entry:
            raise DamagedVersionError(
                f"{path}: {found.size} bytes with sha256 {found.sha256}, "
                f"the manifest says {entry.size} bytes with sha256 {entry.sha256}"
            )
        return data

    def verify(self, version: int) -> Manifest:
        """Read all files of a version, also those that nobody reads in order to serve it, and check their digests.

        Raises:
            VersionNotFoundError: There is no such version.
            DamagedVersionError: Its manifest or a file is not what was published.
        """
        manifest = self.manifest(version)
        for filename in manifest.files:
            self.read(manifest, filename)
        return manifest

    def alias(self, name: str = CHAMPION) -> AliasLog:
        """The log of one alias."""
        return AliasLog(self._objects, self.model, name)

    def champion(self) -> int:
        """The version that the champion alias points to.

        Raises:
            VersionNotFoundError: Nothing has been promoted yet.
        """
        target = self.alias().target()
        if target is None:
            raise VersionNotFoundError(
                f"repository {self.url} has no champion yet; publish one with: python -m pipelines retrain"
            )
        return target

    # writing

    def claim(self, weights: bytes) -> Draft:
        """Claim the next version number by storing its weights.

        Numbers only increase, and the number of a publisher that was killed is not used again.
        """
        number = max(self._numbers(), default=0) + 1
        while not self._objects.create(f"{self.model}/{number}/{WEIGHTS}", weights):
            number += 1  # another publisher was faster
        draft = Draft(number, _objects=self._objects, _model=self.model)
        draft.files[WEIGHTS] = FileEntry.of(weights)
        return draft

    def promote(self, version: int, *, by: str, why: str, alias: str = CHAMPION) -> None:
        """Point an alias to a version that exists.

        Raises:
            VersionNotFoundError: There is no such version.
            ConfigError: The name of the alias is not allowed.
        """
        self.manifest(version)
        self.alias(alias).promote(version, by=by, why=why)

    def prune(self, keep: int) -> list[int]:
        """Delete all versions except the newest `keep` and those that an alias points to or would roll back to.

        Numbers without a manifest are deleted as well once they are so old that their publisher must be dead.

        Returns:
            The deleted numbers, ascending.
        """
        if keep < 1:
            raise ArtifactError(f"prune: keep {keep} versions, expected at least 1: the newest number stays claimed")
        numbers = self._numbers()
        complete = sorted(n for n, files in numbers.items() if MANIFEST in files)
        spared = {*complete[-keep:], max(numbers, default=0)}
        for name in self.snapshot().aliases:
            spared |= {*standing_promotions(self.alias(name).history())[-2:]}
        dead = [n for n in sorted(numbers) if n not in spared and (n in complete or self._abandoned(n))]
        for number in dead:
            # The manifest goes first, so that a kill in between leaves no version that looks complete.
            for filename in sorted(numbers[number], key=lambda f: f != MANIFEST):
                self._objects.delete(f"{self.model}/{number}/{filename}")
        return dead

    def _abandoned(self, number: int) -> bool:
        modified = [o.modified for o in self._objects.list(f"{self.model}/{number}")]
        return all(datetime.now(UTC) - m > ABANDONED_AFTER for m in modified)

    def _numbers(self) -> dict[int, set[str]]:
        return self._by_number(o.path for o in self._objects.list(self.model))

    def _by_number(self, paths: Iterable[str]) -> dict[int, set[str]]:
        """Every claimed number and the names of its files."""
        numbers: dict[int, set[str]] = {}
        for match in filter(None, map(self._version_file.fullmatch, paths)):
            numbers.setdefault(int(match[1]), set()).add(match[2])
        return numbers


def _stamp(objects: Iterable[StoredObject]) -> str:
    return hashlib.sha256(repr([(o.path, o.size, o.e_tag) for o in objects]).encode()).hexdigest()
