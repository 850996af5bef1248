"""The repository of versions: a folder, a bucket or memory, with the same guarantees on each.

    <repository>/<name>/7/weights.safetensors          written first: claims the number 7
    <repository>/<name>/7/report.html, card.md         for people
    <repository>/<name>/7/history.json                 the epochs of its training, to be compared with others
    <repository>/<name>/7/manifest.json                written last: now, and only now, version 7 exists
    <repository>/<name>/7/trial.json, trial-2.json     what a service did with it, see `core.artifact.trial`
    <repository>/<name>/7/deleting-0123abcd.json       somebody deletes it just now, see `core.artifact.pruning`
    <repository>/<name>/7/manifest.json.damaged        set aside, see `core.artifact.aside`; trial.json likewise
    <repository>/<name>/aliases/champion/000003.json   the third move of the alias
    <repository>/<name>/lease/000007.json              who retrains now, see `core.artifact.lease`

Every object is created only if absent and never overwritten. So two writers cannot claim the same number, a kill at any
point leaves earlier versions complete and the new one absent, and the history of an alias cannot be lost.
"""

from collections.abc import Iterator
from contextlib import suppress

from core.artifact import pruning
from core.artifact.alias import ANY, AliasLog, Expected, Move
from core.artifact.draft import Draft
from core.artifact.finding import Finding
from core.artifact.folder import StoredObject
from core.artifact.lease import SECONDS, Lease
from core.artifact.manifest import MANIFEST, WEIGHTS, FileEntry
from core.artifact.published import MODEL, Probe, Published
from core.artifact.repair import examine
from core.artifact.snapshot import CHAMPION, HIGHEST, Snapshot
from core.artifact.trial import Trial
from core.errors import (
    AliasMovedError,
    ArtifactError,
    RepositoryError,
    VersionNotFoundError,
)

__all__ = ["ANY", "CHAMPION", "MODEL", "Draft", "Probe", "Repository", "Snapshot"]


class Repository(Published):
    """The versions and aliases of one model, to be read and written."""

    def claim(self, weights: bytes) -> Draft:
        """Claim the next version number by storing its weights.

        Numbers only increase, and the number of a publisher that was killed is not used again. Nor is one whose folder
        cannot be read. As a context manager, the draft gives its number back if the block fails.
        """
        number = max(self._numbers(), default=0) + 1
        if number > HIGHEST:
            raise RepositoryError(f"repository {self.url}: {HIGHEST} is the highest number, and is taken; remove it")
        with suppress(ArtifactError):  # for room; what cannot be deleted is in nobody's way
            self.sweep()
        while not self._objects.create(f"{self.model}/{number}/{WEIGHTS}", weights):
            number += 1  # another publisher was faster
        draft = Draft(number, _objects=self._objects, _model=self.model)
        draft.files[WEIGHTS] = FileEntry.of(weights)
        return draft

    def promote(
        self,
        version: int,
        *,
        by: str,
        why: str,
        alias: str = CHAMPION,
        expecting: Expected = ANY,
        probe: Probe | None = None,
    ) -> Move:
        """Point an alias to a version that is sound: its files are those that were published.

        Args:
            version: The version.
            by: Who moves the alias.
            why: The reason.
            alias: Its name.
            expecting: Where it must point for that; by default anywhere.
            probe: Checks the version's golden outputs first; by default they are not.

        Returns:
            The move.

        Raises:
            VersionNotFoundError: There is no such version, or it is being deleted; the alias is where it was.
            DamagedVersionError: Its manifest or a file is not what was published.
            GoldenProbeError: It does not reproduce its golden outputs.
            AliasMovedError: The alias points elsewhere than expected.
            ConfigError: The name of the alias is not allowed.
        """
        self._require(version, probe)
        log = self.alias(alias)
        move = log.promote(version, by=by, why=why, expecting=expecting)
        return self._confirm(log, move)

    def rollback(self, *, by: str, why: str, alias: str = CHAMPION, probe: Probe | None = None) -> Move:
        """Point an alias to the version that it pointed to before its present version was promoted.

        Raises:
            VersionNotFoundError: There is no earlier version, or it was pruned.
            DamagedVersionError: It is damaged; the alias is where it was. Likewise for the other errors of `promote`.
        """
        log = self.alias(alias)
        move = log.rollback(by=by, why=why, check=lambda version: self._require(version, probe))
        return self._confirm(log, move)

    def examine(self, *, by: str, snapshot: Snapshot | None = None) -> Iterator[Finding]:
        """What is wrong with aliases and versions, and how to repair it: see `core.artifact.repair`.

        Args:
            by: Who repairs.
            snapshot: What is looked at; by default, what there is now.
        """

        def move_back(log: AliasLog, version: int, expecting: int, why: str) -> Move:
            self._require(version, None)
            return self._confirm(log, log.move_back(version, by=by, why=why, expecting=expecting))

        return examine(self, self._objects, move_back, snapshot)

    def lease(self, seconds: float = SECONDS) -> Lease:
        """The lease under which one process at a time retrains for this repository.

        Args:
            seconds: How long it lasts unless its holder renews it.
        """
        return Lease(self._objects, self.model, seconds=seconds)

    def record_trial(self, trial: Trial) -> bool:
        """Store the record of a trial as the last one of its version: see `core.artifact.trial_log`."""
        return self.trials(trial.version).add(trial)

    def prune(self, keep: int) -> list[int]:
        """Delete all versions except the newest `keep` and those that an alias points to or would roll back to.

        Numbers without a manifest are deleted as well once they are so old that their publisher must be dead.

        Returns:
            The deleted numbers, ascending.

        Raises:
            RepositoryError: It cannot be told which versions the aliases name; then nothing is deleted.
        """
        if keep < 1:
            raise ArtifactError(f"prune: keep {keep} versions, expected at least 1: the newest number stays claimed")
        return pruning.prune(self._objects, self.model, keep)

    def sweep(self) -> tuple[list[int], list[StoredObject]]:
        """Delete what publishers that were killed more than a day ago have left behind; no version is deleted.

        Returns:
            The deleted numbers that were claimed, and the other deleted files.
        """
        return pruning.prune(self._objects, self.model, None), pruning.sweep(self._objects, self.model)

    def _require(self, version: int, probe: Probe | None) -> None:
        """Check that a version is sound and not being deleted."""
        self.verify(version, probe)
        if self._deleting(version):
            raise VersionNotFoundError(
                f"{self.model} {version} is being deleted by models prune; if none runs, run it again, or models repair"
            )

    def _confirm(self, log: AliasLog, move: Move) -> Move:
        """Check that the version that an alias was moved to is still there, or else move the alias back."""
        version, previous = move.version, move.previous
        if not self._deleting(version):
            return move
        finding = f"{self.model} {version} was deleted by models prune while {log.alias} was moved to it"
        if previous is None:
            raise VersionNotFoundError(f"{finding}; promote another")
        try:
            log.move_back(previous, by=move.by, why=finding, expecting=version)
        except AliasMovedError:
            raise VersionNotFoundError(f"{finding}; somebody else has moved {log.alias} on since") from None
        raise VersionNotFoundError(f"{finding}; {log.alias} was moved back to {previous}")

    def _deleting(self, version: int) -> bool:
        """Whether a version is being deleted, or is no more; see `core.artifact.pruning`."""
        names = {found.path.rpartition("/")[2] for found in self._objects.list(f"{self.model}/{version}")}
        return MANIFEST not in names or any(map(pruning.is_mark, names))
