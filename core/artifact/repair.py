"""What is wrong with a repository, and what can be done about it without losing anything.

A sound version is never touched. What may be sound for another installation, such as a manifest that is as it was
written but that this one does not understand, or a file that this user may not read, is reported and left alone.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping

from core.artifact.alias import AliasLog
from core.artifact.aside import SET_ASIDE, set_aside
from core.artifact.finding import Finding
from core.artifact.manifest import MANIFEST, WEIGHTS, Manifest
from core.artifact.move import move_number, standing_promotions
from core.artifact.objects import Objects
from core.artifact.published import Published
from core.artifact.sealed import as_written
from core.artifact.snapshot import Snapshot
from core.artifact.trial import Trial
from core.errors import DamagedVersionError, ManifestError, UnreadableEntryError, VersionNotFoundError

__all__ = ["examine"]

_MANIFEST_ASIDE = (
    f"set the version aside: {MANIFEST} becomes {MANIFEST}{SET_ASIDE}, "
    "and its files are deleted when they are a day old"
)
_TRIAL_ASIDE = (
    f"set the record aside: {SET_ASIDE} is added to its name, and whoever would promote the version has it tried again"
)
_TO_BE_ENTERED = "make it a folder that this user can read; until then nobody can tell which versions it names"
_NO_MOVE = "move it away; the alias is the same without it"


Back = Callable[[AliasLog, int, int, str], object]
"""Moves an alias back: the log, the version, where the alias must point for that, and why."""


def examine(
    published: Published, objects: Objects, move_back: Back, snapshot: Snapshot | None = None
) -> Iterator[Finding]:
    """Look at every alias, and read every file of every version.

    Args:
        published: What is looked at.
        objects: Its objects, where they are.
        move_back: How an alias is repaired.
        snapshot: What is looked at; by default, what there is now.

    Raises:
        RepositoryError: The storage has failed.
    """
    snapshot = published.snapshot() if snapshot is None else snapshot
    useless: set[int] = set()
    unknown = set(snapshot.unreadable)
    for version in snapshot.versions:
        found = list(_of_version(published, objects, version, useless, unknown))
        if found and _exists(objects, f"{published.model}/{version}/{MANIFEST}"):  # it was not pruned meanwhile
            yield from found
    for number, fault in snapshot.unreadable.items():
        yield Finding(number, None, fault, "make it a folder that can be read, or remove it", None)
    yield from _of_aliases(published, snapshot, useless, unknown, move_back)


def _exists(objects: Objects, path: str) -> bool:
    try:
        return objects.get(path) is not None
    except (DamagedVersionError, UnreadableEntryError):
        return True


def _of_version(
    published: Published, objects: Objects, version: int, useless: set[int], unknown: set[int]
) -> Iterator[Finding]:
    """What is wrong with a version. If it cannot be served, it is added to `useless`; if only this installation cannot
    tell, as another user or a newer Numeral might, to `unknown`.
    """
    try:
        manifest = published.manifest(version)
        published.read(manifest)
    except VersionNotFoundError:
        useless.add(version)
        return
    except (DamagedVersionError, UnreadableEntryError) as error:
        path = f"{published.model}/{version}/{MANIFEST}"
        finding = _of_document(objects, path, version, error, Manifest.model_fields, _MANIFEST_ASIDE)
        (useless if finding.repair else unknown).add(version)
        yield finding
        return
    for filename in sorted(
        manifest.files.keys() - {WEIGHTS}
    ):  # the version can be served without, so it stays what it is
        try:
            published.read(manifest, filename)
        except (DamagedVersionError, UnreadableEntryError) as error:
            remedy = f"restore {filename} from a backup; the version can be served without"
            yield Finding(version, None, str(error), remedy, None)
    trials = published.trials(version)
    for path in trials.paths():
        try:
            trials.at(path)
        except (DamagedVersionError, UnreadableEntryError) as error:
            yield _of_document(objects, path, version, error, Trial.model_fields, _TRIAL_ASIDE)


def _of_document(
    objects: Objects,
    path: str,
    version: int,
    error: DamagedVersionError | UnreadableEntryError,
    known: Collection[str],
    remedy: str,
) -> Finding:
    """What is wrong with a manifest, with a file that it describes, or with the record of a trial.

    Args:
        objects: Where it is.
        path: The document's.
        version: The version that it belongs to.
        error: What was found.
        known: The names of the document's fields.
        remedy: What to set the document aside means.
    """
    if isinstance(error, UnreadableEntryError):
        return Finding(version, None, str(error), "make it readable for the user that runs this", None)
    filename = path.rpartition("/")[2]
    try:
        data = objects.get(path) or b""
    except DamagedVersionError:  # far too large to be one
        return Finding(version, None, str(error), f"restore {filename} from a backup, or remove the version", None)
    if isinstance(error, ManifestError) and as_written(data, known):
        return Finding(version, None, str(error), _of_another(data), None)
    return Finding(version, None, str(error), remedy, lambda: set_aside(objects, path, data))


def _of_another(data: bytes) -> str:
    """What a person has to do about a document that is as it was written, and yet does not belong where it is."""
    try:
        original = Manifest.decode(data).version
    except ManifestError:
        return "a newer Numeral may have written it; look with that one"
    return f"remove the folder if it is a copy; if it was renamed, call it {original} again"


def _of_aliases(
    published: Published, snapshot: Snapshot, useless: set[int], unknown: set[int], move_back: Back
) -> Iterator[Finding]:
    """What is wrong with the aliases. The log of one that may not be entered is not read: that would end the search."""
    folder = f"{published.model}/aliases"
    faults: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for path, fault in snapshot.faults.items():
        if path == folder:
            yield Finding(None, None, f"{path}: {fault}", _TO_BE_ENTERED, None)
        elif path.startswith(f"{folder}/"):
            alias, _, filename = path.removeprefix(f"{folder}/").partition("/")
            faults[alias][filename] = f"{path}: {fault}"
    for alias in sorted({*snapshot.aliases, *faults}):
        if "" in faults[alias]:
            yield Finding(None, alias, faults[alias][""], _TO_BE_ENTERED, None)
            continue
        moves: dict[int, str] = {}
        for filename, fault in faults[alias].items():
            if (number := move_number(filename)) is not None:
                moves[number] = fault
            else:
                yield Finding(None, alias, fault, _NO_MOVE, None)
        yield from _of_alias(published.alias(alias), moves, snapshot, useless, unknown, move_back)


def _of_alias(
    log: AliasLog,
    faults: Mapping[int, str],
    snapshot: Snapshot,
    useless: set[int],
    unknown: set[int],
    move_back: Back,
) -> Iterator[Finding]:
    """What is wrong with the moves of an alias, and with where it points.

    Repairing it adds a move to its log, unless it has been moved meanwhile. None is added behind one that this user may
    not read, nor behind one to a version of which this installation cannot tell: for others it may be sound.

    Args:
        log: Its log.
        faults: What is wrong with moves that the snapshot has met, by their numbers.
        snapshot: What the repository shows.
        useless: Versions that cannot be served.
        unknown: Versions of which that cannot be told; each has a finding of its own.
        move_back: How it is repaired.
    """
    hidden = log.hidden()
    for fault in hidden.values():
        yield Finding(None, log.alias, fault, "make it readable for the user that runs this", None)
    last = log.last_sound()
    later = [faults[number] for number in sorted(faults) if number > last]
    target = snapshot.aliases.get(log.alias)
    if any(number > last for number in hidden) or target in unknown:
        return
    if target is None:
        if later:
            yield Finding(None, log.alias, later[0], _promote(log.alias), None)
        return
    standing = standing_promotions(log.history())
    sound = [number for number in standing if number in snapshot.versions and number not in useless | unknown]
    if target not in sound:
        fault = f"points to version {target}, which {'is damaged' if target in useless else 'does not exist'}"
        remedy = (
            f"move it back to version {sound[-1]}, the last one before that is sound" if sound else _promote(log.alias)
        )
    elif later:
        fault = later[-1]
        remedy = f"add a move that says again what the last sound one says: version {target}"
    else:
        return

    def back() -> object:
        return move_back(log, sound[-1], target, f"repaired: {fault}")

    yield Finding(None, log.alias, fault, remedy, back if sound else None)


def _promote(alias: str) -> str:
    return f"promote a version: models promote VERSION --alias {alias}"
