"""How a version becomes a canary: where it would become the champion, the alias `challenger` is moved to it instead."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from core.artifact.alias import Move
from core.artifact.repository import Repository
from core.errors import AliasMovedError
from core.inference.predict import rebuild
from pipelines.canary.challenger_alias import CHALLENGER, Canary, begun, canary_in, end_of
from pipelines.promotion.probation import Held
from pipelines.sections import CanarySection

__all__ = ["AsCanary"]


class AsCanary:
    """The probation of a version that a retraining would promote."""

    def __init__(
        self,
        repository: Repository,
        version: int,
        rule: CanarySection,
        *,
        by: str,
        begins: bool = True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Nothing is looked at yet.

        Args:
            repository: Holds the version.
            version: Which one.
            rule: From the recipe.
            by: Who promotes.
            begins: Whether the version becomes a canary where it would become the champion. If not, whoever orders
                canaries and the services to ask is somebody else; what is or was one by their order is left to them.
            clock: Gives the time.
        """
        self._repository = repository
        self._version = version
        self._rule = rule
        self._by = by
        self._begins = begins
        self._clock = clock

    def standing(self, champion: int | None) -> Held | None:
        """Whether the version is a canary already, was one, or has to wait for another to end."""
        version, moves = self._version, self._repository.alias(CHALLENGER).history()
        champions = self._repository.alias().history()
        current = canary_in(moves, champions)
        if current and current.version == version:
            if current.beside != champion:
                return None  # what it was compared with is no longer the champion: it begins again
            since = f"{current.begun:%Y-%m-%d %H:%M:%S} UTC"
            return Held(f"version {version} has been a canary beside version {champion} since {since}", canary=True)
        if why := end_of(moves, version):
            return Held(
                f"version {version} has been a canary before: {why}; models promote {version} overrules that",
                rejected=True,
            )
        if champion is None or not self._begins:
            return None
        if current:
            return self._has_to_wait(current)
        return self._in_the_way(moves, {move.version for move in champions}, champion)

    def before_move(self, champion: int | None, reasons: str) -> Held | str:
        """Begin. A version that there is no champion to compare with becomes the champion at once."""
        if champion is None or not self._begins:
            return ""
        target = self._repository.alias(CHALLENGER).target()
        try:
            self._repository.promote(
                self._version,
                by=self._by,
                why=begun(champion, reasons),
                alias=CHALLENGER,
                expecting=target,
                probe=rebuild,
            )
        except AliasMovedError as error:
            return Held(f"{error}; the next run decides about version {self._version}")
        return Held(
            f"version {self._version} is a canary now, beside version {champion}, for at least "
            f"{self._rule.pictures:,} pictures and {self._rule.minutes:,g} minutes: {reasons}; "
            "python -m pipelines canary says how it does",
            canary=True,
            begun=True,
        )

    def _has_to_wait(self, current: Canary) -> Held | None:
        """One canary at a time, but an earlier one has its time: otherwise each night's would replace the last one."""
        until = current.begun + timedelta(minutes=self._rule.longest_minutes)
        if self._clock() >= until:
            return None
        return Held(
            f"version {current.version} is a canary, and may be one until {until:%Y-%m-%d %H:%M} UTC; a later run "
            f"decides about version {self._version}"
        )

    def _in_the_way(self, moves: Sequence[Move], champions: set[int], champion: int) -> Held | None:
        """What a person, or a sweep, has pointed the alias at is theirs, unless it has been the champion since."""
        if not moves or moves[-1].version in {*champions, self._version}:
            return None
        last = moves[-1]
        return Held(
            f"the alias {CHALLENGER} names version {last.version} since {last.at:%Y-%m-%d %H:%M} UTC, by {last.by}: "
            f"{last.why}; a canary needs the alias, so free it: python -m pipelines models promote {champion} "
            f"--alias {CHALLENGER}"
        )
