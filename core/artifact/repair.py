"""What is wrong with a repository, and what can be done about it without losing anything.

A sound version is never touched. What may be sound for another installation, such as a manifest that is as it was
written but that this one does not understand, or a file that this user may not read, is reported and left alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.artifact.alias import AliasLog, move_number, standing_promotions
from core.artifact.manifest import MANIFEST, WEIGHTS, Manifest
from core.artifact.objects import Objects
from core.artifact.published import Published
from core.artifact.sealed import opened
from core.artifact.snapshot import Snapshot
from core.errors import DamagedVersionError, ManifestError, UnreadableEntryError, VersionNotFoundError

__all__ = ["SET_ASIDE", "Finding", "examine"]

SET_ASIDE = "manifest.json.damaged"
"""What the manifest of a version is called after the version was set aside: without a manifest it is no version. Files
that are no version are deleted once they are old, see `core.artifact.pruning`; before that, renaming it undoes it."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a version or an alias.

    Attributes:
        version: The version; None if it is about an alias.
        alias: The alias; None if it is about a version.
        fault: What is wrong.
        remedy: What `repair` does about it, or what a person has to do.
        repair: Does it; None if a person has to.
    """

    version: int | None
    alias: str | None
    fault: str
    remedy: str
    repair: Callable[[], object] | None

    @property
    def name(self) -> str:
        """What it is about, in words."""
        return f"version {self.version}" if self.alias is None else f"alias {self.alias}"


def examine(published: Published, objects: Objects, by: str) -> Iterator[Finding]:
    """Look at every alias, and read every file of every version.

    Args:
        published: What is looked at.
        objects: Its objects, where they are.
        by: Who repairs.

    Raises:
        RepositoryError: The storage has failed.
    """
    snapshot = published.snapshot()
    useless: set[int] = set()
    for version in snapshot.versions:
        try:
            manifest = published.manifest(version)
            published.read(manifest)
        except VersionNotFoundError:  # it was pruned meanwhile
            continue
        except (DamagedVersionError, UnreadableEntryError) as error:
            useless.add(version)
            yield _of_version(objects, f"{published.model}/{version}", version, error)
        else:
            yield from _of_documents(published, manifest)
    for number, fault in snapshot.unreadable.items():
        yield Finding(number, None, fault, "make it a folder that can be read, or remove it", None)
    folder = f"{published.model}/aliases/"
    torn = {path.removeprefix(folder).split("/")[0] for path in snapshot.faults if path.startswith(folder)}
    for alias in sorted({*snapshot.aliases, *torn}):
        yield from _of_alias(published.alias(alias), f"{folder}{alias}", snapshot, useless, by)


def _of_documents(published: Published, manifest: Manifest) -> Iterator[Finding]:
    """What is wrong with report and card. The version can be served all the same, so it stays what it is."""
    for filename in manifest.files.keys() - {WEIGHTS}:
        try:
            published.read(manifest, filename)
        except (DamagedVersionError, UnreadableEntryError) as error:
            remedy = f"restore {filename} from a backup; the version can be served without"
            yield Finding(manifest.version, None, str(error), remedy, None)


def _of_version(
    objects: Objects, folder: str, version: int, error: DamagedVersionError | UnreadableEntryError
) -> Finding:
    """What is wrong with a version that cannot be served."""
    if isinstance(error, UnreadableEntryError):
        return Finding(version, None, str(error), "make it readable for the user that runs this", None)
    manifest = f"{folder}/{MANIFEST}"
    try:
        data = objects.get(manifest) or b""
    except DamagedVersionError:  # far too large to be one
        return Finding(version, None, str(error), f"restore {MANIFEST} from a backup, or remove the version", None)
    if isinstance(error, ManifestError) and _as_written(data):
        return Finding(version, None, str(error), "a newer Numeral may have written it; look with that one", None)

    def set_aside() -> None:
        objects.create(f"{folder}/{SET_ASIDE}", data)
        objects.delete(manifest)

    remedy = f"set the version aside: {MANIFEST} becomes {SET_ASIDE}, and its files are deleted when they are a day old"
    return Finding(version, None, str(error), remedy, set_aside)


def _as_written(data: bytes) -> bool:
    """Whether a manifest is a document that nothing has changed since it was written."""
    try:
        opened(data, known=Manifest.model_fields)
    except ValueError:
        return False
    return True


def _of_alias(log: AliasLog, folder: str, snapshot: Snapshot, useless: set[int], by: str) -> Iterator[Finding]:
    """What is wrong with an alias. Repairing it adds a move to its log, unless it has been moved meanwhile."""
    last = log.last_sound()
    later = [path for path in snapshot.faults if (move_number(path.removeprefix(f"{folder}/")) or 0) > last]
    target = snapshot.aliases.get(log.alias)
    promote = f"promote a version: models promote VERSION --alias {log.alias}"
    if target is None:
        fault = next(
            f"{path}: {fault}" for path, fault in snapshot.faults.items() if f"{path}/".startswith(f"{folder}/")
        )
        yield Finding(None, log.alias, fault, promote, None)
        return
    standing = standing_promotions(log.history())
    sound = [number for number in standing if number in snapshot.versions and number not in useless]
    if target not in sound:
        fault = f"points to version {target}, which {'is damaged' if target in useless else 'does not exist'}"
        remedy = f"move it back to version {sound[-1]}, the last one before that is sound" if sound else promote
    elif later:
        fault = f"{later[-1]}: {snapshot.faults[later[-1]]}"
        remedy = f"add a move that says again what the last sound one says: version {target}"
    else:
        return

    def move_back() -> None:
        log.move_back(sound[-1], by=by, why=f"repaired: {fault}", expecting=target)

    yield Finding(None, log.alias, fault, remedy, move_back if sound else None)
