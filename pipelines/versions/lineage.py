"""Where a version comes from: the champion that it was judged against, the one that this was judged against, and so on.

Each version was trained from scratch. What it inherits is the bar: it is what it is because it passed it.
"""

from dataclasses import dataclass
from datetime import datetime

from core.artifact.repository import CHAMPION, Repository
from core.errors import DamagedVersionError, UnreadableEntryError, VersionNotFoundError
from pipelines.versions.difference import Change, changes

__all__ = ["Ancestor", "lineage"]


@dataclass(frozen=True)
class Ancestor:
    """One version of a line.

    Attributes:
        version: Its number.
        fault: Why nothing more is known of it, and the line ends here; None if it could be read.
        created: When it was published.
        recipe: The name of its recipe.
        test_accuracy: 0 to 1.
        reason: What the gate said about it.
        moves: When it became champion, and by whom and why, one sentence each.
        changed: What differs in how it was made from the version before it in the line, without measures.
    """

    version: int
    fault: str | None = None
    created: datetime | None = None
    recipe: str | None = None
    test_accuracy: float | None = None
    reason: str | None = None
    moves: tuple[str, ...] = ()
    changed: tuple[Change, ...] = ()


def lineage(store: Repository, version: int) -> list[Ancestor]:
    """The line of a version, itself first.

    Args:
        store: The repository.
        version: The version.

    Raises:
        VersionNotFoundError: There is no such version.
        DamagedVersionError: Its manifest is damaged.
    """
    moves = store.alias(CHAMPION).history()
    manifest, line, seen = store.manifest(version), list[Ancestor](), set[int]()
    while True:
        seen.add(manifest.version)
        said = tuple(
            f"{move.action} on {move.at:%Y-%m-%d %H:%M} UTC by {move.by}: {move.why}"
            for move in moves
            if move.version == manifest.version
        )
        parent, fault, before = manifest.verdict.parent, None, None
        if parent is not None and parent not in seen:  # a manifest says what it likes; a circle must end
            try:
                before = store.manifest(parent)
            except VersionNotFoundError:
                fault = "deleted"
            except (DamagedVersionError, UnreadableEntryError) as error:
                fault = str(error)
        different = changes(before, manifest) if before else []
        line.append(
            Ancestor(
                manifest.version,
                None,
                manifest.created,
                manifest.recipe_name,
                manifest.test.accuracy,
                manifest.verdict.reason,
                said,
                tuple(change for change in different if change.part != "measures"),
            )
        )
        if fault and parent:
            line.append(Ancestor(parent, fault))
        if before is None:
            return line
        manifest = before
