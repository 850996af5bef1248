"""What was published in a repository, to be read: versions, their files, and aliases."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar

from core.artifact.alias import AliasLog
from core.artifact.folder import StoredObject
from core.artifact.manifest import MANIFEST, WEIGHTS, FileEntry, Manifest
from core.artifact.objects import Objects
from core.artifact.snapshot import CHAMPION, Contents, Snapshot, Snapshots, contents
from core.artifact.summary import Summary, summary_of
from core.artifact.trial import Trial
from core.artifact.trial_log import TrialLog
from core.errors import DamagedVersionError, ManifestError, UnreadableEntryError, VersionNotFoundError

__all__ = ["MODEL", "Probe", "Published"]

D = TypeVar("D", Manifest, Summary)
T = TypeVar("T")

MODEL = "mnist"
"""The name under which versions are published."""

Probe: TypeAlias = Callable[[Manifest, bytes], object]
"""Rebuilds a version from its manifest and its weights, and raises if its golden outputs are not reproduced; see
`core.inference.predict.rebuild`, which this package cannot import, because it stands above."""

MOST_LISTED = 10
"""How many of the known versions an error names."""


class Published:
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
        self._logs: dict[str, AliasLog] = {}

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
        data = self.raw_manifest(version)
        if data is None:
            raise VersionNotFoundError(f"{self.model} has no version {version}; known: {_listed(self.versions())}")
        return self._own(version, Manifest.decode(data, name=self._manifest_path(version)))

    def summary(self, version: int, checked: set[bytes] | None = None) -> Summary:
        """What a list shows of the manifest of one version.

        Args:
            version: The version.
            checked: Which manifests need not be checked again: see `core.artifact.summary.summary_of`.

        Raises:
            VersionNotFoundError: There is no such version. The error names no others: no listing is taken for it.
            ManifestError: The manifest is not valid.
            UnreadableEntryError: It may not be read, or is no file.
        """
        data = self.raw_manifest(version)
        if data is None:
            raise VersionNotFoundError(f"{self.model} has no version {version}")
        return self._own(version, summary_of(data, name=self._manifest_path(version), checked=checked))

    def _manifest_path(self, version: int) -> str:
        return f"{self.model}/{version}/{MANIFEST}"

    def _own(self, version: int, found: D) -> D:
        """A description, which must be that of this version."""
        if (found.name, found.version) != (self.model, version):
            path = self._manifest_path(version)
            raise ManifestError(f"{path}: describes {found.name} {found.version}; was the folder copied?")
        return found

    def raw_manifest(self, version: int) -> bytes | None:
        """The bytes of a version's manifest, whatever they are; None if there is none.

        Raises:
            UnreadableEntryError: It may not be read, or is no file.
        """
        return self._objects.get(self._manifest_path(version))

    def mentioning(self, fingerprint: str) -> Iterator[int]:
        """The versions whose manifests contain a fingerprint, the newest first, without validating any manifest.

        A version whose manifest cannot be read is among them, so that whoever validates it says so.
        """
        sought = fingerprint.encode()

        def mentions(version: int) -> bool:
            try:
                data = self.raw_manifest(version)
            except (DamagedVersionError, UnreadableEntryError):
                return True
            return data is not None and sought in data

        newest_first = self.versions()[::-1]
        for version, found in zip(newest_first, self.for_each(newest_first, mentions), strict=True):
            if found:
                yield version

    def for_each(self, versions: Sequence[int], act: Callable[[int], T]) -> Iterator[T]:
        """The results of a function that reads something of a version, in order; in a bucket, several at a time."""
        return self._objects.for_each(versions, act)

    def unpublished(self) -> list[int]:
        """The numbers that are claimed without being versions: not yet, or because their publisher was killed."""
        return self.pending()[0]

    def unfinished(self) -> list[StoredObject]:
        """Files that are being written, or that a killed writer has left behind; a bucket has none."""
        return self.pending()[1]

    def pending(self) -> tuple[list[int], list[StoredObject]]:
        """`unpublished` and `unfinished`, from one listing."""
        survey = self._objects.survey(self.model)
        numbers = contents(self.model, survey)
        return [number for number, found in numbers.items() if found.files and not found.complete], survey.unfinished

    def files(self, version: int) -> dict[str, int]:
        """The files that lie under a number, whatever they are, with their sizes in bytes."""
        return {found.path.split("/", 2)[2]: found.size for found in self._objects.list(f"{self.model}/{version}")}

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

    def verify(self, version: int, probe: Probe | None = None) -> Manifest:
        """Read all files of a version, also those that nobody reads in order to serve it, and check their digests.

        Args:
            version: The version.
            probe: Checks its golden outputs too; by default they are not.

        Raises:
            VersionNotFoundError: There is no such version.
            DamagedVersionError: Its manifest or a file is not what was published.
            GoldenProbeError: It does not reproduce its golden outputs.
        """
        manifest = self.manifest(version)
        files = {filename: self.read(manifest, filename) for filename in manifest.files}
        if probe is not None:
            probe(manifest, files[WEIGHTS])
        return manifest

    def trial(self, version: int) -> Trial | None:
        """The record of a version's last trial, which decides; None if there is none.

        Raises:
            ManifestError: It is damaged.
            UnreadableEntryError: It may not be read, or is no file.
        """
        return self.trials(version).last()

    def trials(self, version: int) -> TrialLog:
        """The records of all trials of a version."""
        return TrialLog(self._objects, f"{self.model}/{version}")

    def alias(self, name: str = CHAMPION) -> AliasLog:
        """The log of one alias, which remembers the moves that it has read."""
        return self._logs.setdefault(name, AliasLog(self._objects, self.model, name))

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

    def _numbers(self) -> dict[int, Contents]:
        """What lies under each number that is claimed, ascending."""
        return contents(self.model, self._objects.survey(self.model))


def _listed(versions: list[int]) -> str:
    """The newest of these versions, in words."""
    shown = ", ".join(map(str, versions[-MOST_LISTED:])) or "none"
    return shown if len(versions) <= MOST_LISTED else f"{len(versions):,} versions, the newest: {shown}"
