"""Where a repository stands: its champion, its best version, and how often the validation images were used."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from core.artifact.alias import standing_promotions
from core.artifact.manifest import Manifest
from core.artifact.origin import DataProvenance
from core.artifact.repository import Repository
from core.errors import DamagedVersionError, UnreadableEntryError, VersionNotFoundError
from pipelines.promotion.evidence import Best

_LOOKED_BACK = 50
"""How many promotions are looked at for the best version. The verdict of the oldest of them names the best before it,
so that a longer history is not read again every night."""


@dataclass(frozen=True)
class Standing:
    """What a verdict is reached against.

    Attributes:
        parent: Where the champion alias points; None before its first move.
        champion: The manifest of that version; None if there is none, or it is damaged.
        best: The best comparable version of those whose promotion no rollback has undone.
        consulted: How many versions have been judged on the same validation images, including the one to come.
    """

    parent: int | None
    champion: Manifest | None
    best: Best | None
    consulted: int

    @classmethod
    def of(
        cls, repository: Repository, data: DataProvenance, say: Callable[[str], None], *, own: int | None = None
    ) -> "Standing":
        """Read the repository.

        Args:
            repository: Of the versions.
            data: What the challenger was trained and validated on: only versions with the same are comparable.
            say: Receives each message.
            own: The challenger's number if it is published already: it is not compared with itself.
        """
        moves = repository.alias().history()
        parent = moves[-1].version if moves else None
        champion = None if parent is None else manifest_of(repository, parent)
        if parent is not None and champion is None:
            say(f"version {parent}, the champion, is damaged or deleted, so the new version is not compared with it")
        standing = standing_promotions(moves)
        promoted = [manifest_of(repository, n) for n in standing[-_LOOKED_BACK:] if n != own]
        undone = {move.version for move in moves}.difference(standing)
        return cls(
            parent=parent,
            champion=champion,
            best=best_of([m for m in promoted if m and same_validation(m.data, data)], undone),
            consulted=_consulted(repository, data, own) + 1,
        )


def best_of(promoted: list[Manifest], undone: Collection[int] = ()) -> Best | None:
    """The best of comparable versions, by what each verdict said when it was reached.

    Args:
        promoted: In the order of their promotion.
        undone: The versions whose promotion a rollback has undone: they are no rivals, whatever a verdict says of them.

    Returns:
        None if there is none. The version may have been pruned since, or be damaged.
    """
    best: Best | None = None
    for manifest in promoted:
        verdict, accuracy = manifest.verdict, manifest.validation.accuracy
        if verdict.best is not None and verdict.best_accuracy is not None and verdict.best not in undone:
            recorded = Best(verdict.best, verdict.best_accuracy)
            if best is None or recorded.accuracy > best.accuracy:  # its own manifest is damaged, gone, or too long ago
                best = recorded
        better = best is None or accuracy > best.accuracy
        if better and verdict.improves in (True, None):  # None in older versions
            best = Best(manifest.version, accuracy)
    return best


def same_validation(a: DataProvenance, b: DataProvenance) -> bool:
    """Whether two versions were validated on the same images, and trained on the others of the same data set."""
    return (a.files, a.split_seed, a.validation_images) == (b.files, b.split_seed, b.validation_images)


def _consulted(repository: Repository, data: DataProvenance, own: int | None) -> int:
    """How many versions have been judged on the same validation images, also those that were pruned since."""
    newer = 0
    for version in reversed(repository.versions()):
        manifest = manifest_of(repository, version) if version != own else None
        if manifest and same_validation(manifest.data, data):
            if manifest.verdict.consulted is not None:
                return newer + manifest.verdict.consulted
            newer += 1
    return newer


def manifest_of(repository: Repository, version: int) -> Manifest | None:
    """The manifest of a version; None if it is damaged, or gone."""
    try:
        return repository.manifest(version)
    except (DamagedVersionError, UnreadableEntryError, VersionNotFoundError):
        return None
