"""The repository of versions: a folder, a bucket or memory, with the same guarantees on each.

    <repository>/<name>/7/weights.safetensors          written first: claims the number 7
    <repository>/<name>/7/report.html, card.md         for people
    <repository>/<name>/7/manifest.json                written last: now, and only now, version 7 exists
    <repository>/<name>/aliases/champion/000003.json   the third move of the alias
    <repository>/<name>/lease/000012.json              who may retrain now, see `core.artifact.lease`

Every object is created only if absent and never overwritten. So two writers cannot claim the same number, a kill at any
point leaves earlier versions complete and the new one absent, and the history of an alias cannot be lost.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from core.artifact.alias import AliasLog, standing_promotions
from core.artifact.lease import SECONDS, Lease
from core.artifact.manifest import MANIFEST, WEIGHTS, FileEntry, Manifest
from core.artifact.objects import Objects
from core.artifact.snapshot import CHAMPION, HIGHEST, Contents, Snapshot, Snapshots, contents
from core.errors import ArtifactError, DamagedVersionError, ManifestError, RepositoryError, VersionNotFoundError

__all__ = ["CHAMPION", "MODEL", "Draft", "Repository", "Snapshot"]

MODEL = "mnist"
"""The name under which versions are published."""

ABANDONED_AFTER = timedelta(days=1)
"""A number that was claimed longer ago and has no manifest belongs to a publisher that was killed."""

MOST_LISTED = 10
"""How many of the known versions an error names."""


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
        self._snapshots = Snapshots(self._objects, model)

    # reading

    def exists(self) -> bool:
        """Whether the local folder exists; a bucket is assumed to."""
        return self._objects.exists()

    def versions(self) -> list[int]:
        """The versions that exist, ascending."""
        return [number for number, found in self._numbers().items() if found.complete]

    def snapshot(self) -> Snapshot:
        """Versions, aliases, what is wrong with either, and digests that show whether anything has changed.

        Raises:
            RepositoryError: The storage has failed.
        """
        return self._snapshots.take()

    def manifest(self, version: int) -> Manifest:
        """The manifest of one version.

        Raises:
            VersionNotFoundError: There is no such version.
            ManifestError: The manifest is not valid.
            UnreadableEntryError: It may not be read, or is no file.
        """
        path = f"{self.model}/{version}/{MANIFEST}"
        data = self._objects.get(path)
        if data is None:
            raise VersionNotFoundError(f"{self.model} has no version {version}; known: {_listed(self.versions())}")
        manifest = Manifest.decode(data, name=path)
        if (manifest.name, manifest.version) != (self.model, version):
            raise ManifestError(f"{path}: describes {manifest.name} {manifest.version}; was the folder copied?")
        return manifest

    def read(self, manifest: Manifest, filename: str = WEIGHTS) -> bytes:
        """One file of a version, with its digest checked.

        Raises:
            DamagedVersionError: The file is missing, or is not the one that the manifest describes.
            UnreadableEntryError: It may not be read, or is no file.
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

    def lease(self, seconds: float = SECONDS) -> Lease:
        """The lease under which one process at a time retrains for this repository.

        Args:
            seconds: How long it lasts unless its holder renews it.
        """
        return Lease(self._objects, self.model, seconds=seconds)

    # writing

    def claim(self, weights: bytes) -> Draft:
        """Claim the next version number by storing its weights.

        Numbers only increase, and the number of a publisher that was killed is not used again. Nor is one whose folder
        cannot be read.
        """
        number = max(self._numbers(), default=0) + 1
        if number > HIGHEST:
            raise RepositoryError(f"repository {self.url}: {HIGHEST} is the highest number, and is taken; remove it")
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
        complete = [number for number, found in numbers.items() if found.complete]
        spared = {*complete[-keep:], max(numbers, default=0)}
        for name in self.snapshot().aliases:
            spared |= {*standing_promotions(self.alias(name).history())[-2:]}
        dead = [n for n, found in numbers.items() if n not in spared and (found.complete or _abandoned(found))]
        for number in dead:
            # The manifest goes first, so that a kill in between leaves no version that looks complete.
            for filename in sorted(numbers[number].files, key=lambda f: f != MANIFEST):
                self._objects.delete(f"{self.model}/{number}/{filename}")
        return dead

    def _numbers(self) -> dict[int, Contents]:
        """What lies under each number that is claimed, ascending."""
        return contents(self.model, self._objects.survey(self.model))


def _abandoned(found: Contents) -> bool:
    """Whether a number without a manifest was claimed long ago. One that cannot be read in full is left alone."""
    return not found.faults and all(datetime.now(UTC) - o.modified > ABANDONED_AFTER for o in found.files.values())


def _listed(versions: list[int]) -> str:
    """The newest of these versions, in words."""
    shown = ", ".join(map(str, versions[-MOST_LISTED:])) or "none"
    return shown if len(versions) <= MOST_LISTED else f"{len(versions):,} versions, the newest: {shown}"
