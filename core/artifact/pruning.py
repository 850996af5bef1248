"""Deleting versions while others promote, publish and serve them.

Nothing locks a repository. A version that is deleted and promoted at the same time would leave an alias that points to
nothing. So both sides write before they look, and at least one of two at once sees the other (Dekker's rule):

    whoever deletes    writes a mark into the version     then looks which versions the aliases name
    whoever promotes   writes the move of the alias       then looks whether the version is there, without a mark

Whoever deletes and sees the move spares the version, and takes its mark away. Whoever promotes and sees a mark moves
the alias back. Each pruner has a mark of its own, so that none takes away that of another. The same holds for a
publisher that was taken for dead: it writes the manifest, and then looks for a mark.

The manifest is deleted first, so that a kill in between leaves no version that looks complete, and the marks last, so
that the next pruner goes on.

Nothing is deleted if it cannot be told which versions the aliases name: what cannot be read may name any of them. A
torn move names none; the last sound one stands in for it, as for whoever serves.
"""

import re
import secrets
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from core.artifact.folder import StoredObject, Survey
from core.artifact.manifest import MANIFEST
from core.artifact.move import Move, move_number, read_move, standing_promotions
from core.artifact.objects import Objects
from core.artifact.snapshot import Contents, contents
from core.errors import ArtifactError, ManifestError, RepositoryError, UnreadableEntryError

__all__ = ["ABANDONED_AFTER", "is_mark", "prune", "sweep"]

ABANDONED_AFTER = timedelta(days=1)
"""A number that was claimed longer ago and has no manifest belongs to a publisher that was killed. Likewise a file that
has had a provisional name for so long, or a mark."""

_MARK = re.compile(r"deleting-[0-9a-f]{8}\.json")


def is_mark(filename: str) -> bool:
    """Whether this is the name of a mark, which says that a version is being deleted."""
    return _MARK.fullmatch(filename) is not None


def prune(objects: Objects, model: str, keep: int | None) -> list[int]:
    """Delete old versions, and numbers whose publisher must be dead.

    A version whose folder is a symbolic link is left alone, because what the link leads to may belong to others.

    Args:
        objects: Where versions are published.
        model: The name under which they are published.
        keep: How many of the newest versions are kept, beside those that an alias names or would roll back to; None for
            all of them.

    Returns:
        The deleted numbers, ascending.

    Raises:
        RepositoryError: It cannot be told which versions the aliases name, or the storage has failed.
    """
    mark = f"deleting-{secrets.token_hex(4)}.json"
    marked = _doomed(objects, model, keep)
    for number in marked:
        objects.create(f"{model}/{number}/{mark}", b"")  # empty, because that fits even on a disk that is full
    try:
        doomed = _doomed(objects, model, keep, mark) if marked else {}
    except ArtifactError:
        for number in marked:
            objects.delete(f"{model}/{number}/{mark}")
        raise
    for number in marked:
        if number not in doomed:
            objects.delete(f"{model}/{number}/{mark}")
            continue
        for filename in sorted([*doomed[number].files, mark], key=lambda name: (name != MANIFEST, is_mark(name))):
            objects.delete(f"{model}/{number}/{filename}")
    return [number for number in marked if number in doomed]


def sweep(objects: Objects, model: str) -> list[StoredObject]:
    """Delete what killed writers have left behind beside versions: files with provisional names, and old marks.

    Returns:
        What was deleted.
    """
    survey = objects.survey(model)
    marks = [
        file
        for found in contents(model, survey).values()
        if found.complete
        for name, file in found.files.items()
        if is_mark(name)
    ]
    left = [file for file in [*survey.unfinished, *marks] if _old(file, datetime.now(UTC))]
    for file in left:
        objects.delete(file.path)
    return left


def _doomed(objects: Objects, model: str, keep: int | None, mark: str | None = None) -> dict[int, Contents]:
    """What is to be deleted, by number. Once the own marks are there, they tell what time it is for the store."""
    survey = objects.survey(model)
    numbers = contents(model, survey)
    now = max((found.files[mark].modified for found in numbers.values() if mark in found.files), default=None)
    complete = [number for number, found in numbers.items() if found.complete]
    spared = {max(numbers, default=0), *(complete if keep is None else complete[-keep:])}
    doomed = {
        number: found
        for number, found in numbers.items()
        if number not in spared and (found.complete or _abandoned(found, now or datetime.now(UTC), mark))
    }
    if doomed:  # reading the logs is worth it
        for number in _named(objects, model, survey):
            doomed.pop(number, None)
    return {number: found for number, found in doomed.items() if not objects.is_link(f"{model}/{number}")}


def _named(objects: Objects, model: str, survey: Survey) -> set[int]:
    """The versions that an alias points to or would roll back to."""
    folder = f"{model}/aliases"
    paths: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for path in (*(file.path for file in survey.objects), *survey.faults):
        alias, _, filename = path.removeprefix(f"{folder}/").partition("/")
        if not f"{path}/".startswith(f"{folder}/"):
            continue
        if path in survey.hidden or (path in survey.faults and path.count("/") < 3):
            raise _unknown(objects, f"{path}: {survey.faults[path]}")
        if (number := move_number(filename)) is not None:
            log = paths[alias]
            if path not in survey.faults:
                log[number] = path
    named: set[int] = set()
    for alias, log in paths.items():
        in_order = [path for _, path in sorted(log.items())]
        moves = [move for move in objects.for_each(in_order, lambda path: _move(objects, path)) if move]
        if not moves:
            raise _unknown(objects, f"{folder}/{alias}: none of its moves is sound")
        named.update(standing_promotions(moves)[-2:])
    return named


def _move(objects: Objects, path: str) -> Move | None:
    """The move at this path; None if it is torn, or is no file."""
    try:
        return read_move(objects, path)
    except ManifestError:
        return None
    except UnreadableEntryError as error:
        raise _unknown(objects, str(error)) from error


def _unknown(objects: Objects, finding: str) -> RepositoryError:
    return RepositoryError(
        f"repository {objects.url}: cannot tell which versions the aliases name, so none is deleted: {finding}; make "
        "it readable, or run: python -m pipelines models repair"
    )


def _abandoned(found: Contents, now: datetime, own: str | None) -> bool:
    """Whether nobody works on a number without a manifest. One that cannot be read in full is left alone."""
    if any(is_mark(name) and name != own for name in found.files):
        return not found.faults  # another pruner has deleted the manifest, or is about to delete the rest
    return not found.faults and all(_old(file, now) for name, file in found.files.items() if name != own)


def _old(file: StoredObject, now: datetime) -> bool:
    return now - file.modified > ABANDONED_AFTER
