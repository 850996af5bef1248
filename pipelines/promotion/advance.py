"""The champion's move: made only if the champion still is the one that the verdict names, else decided again."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from core.artifact.manifest import Manifest, Verdict
from core.artifact.repository import ANY, Repository
from core.errors import AliasMovedError
from core.inference.predict import rebuild
from pipelines.order import Instruction
from pipelines.promotion.infra import TrialResult

_DECISIONS = 5
"""Each further one means that yet another version became the champion in the second that a decision takes."""


class Advance(BaseModel):
    """What became of a version.

    Attributes:
        promoted: Whether it is the champion now.
        rejected: Why the gate refused it; None if it did not, or was overruled.
    """

    model_config = ConfigDict(frozen=True)

    promoted: bool
    rejected: str | None = None


def advance(
    repository: Repository,
    manifest: Manifest,
    instruction: Instruction,
    judge_again: Callable[[], Verdict],
    try_out: Callable[[int | None], TrialResult],
    *,
    by: str,
    say: Callable[[str], None],
) -> Advance:
    """Make a version the champion if its verdict and its trial say so; only once, so that a rollback is not undone.

    Args:
        repository: Holds the version.
        manifest: Of the version.
        instruction: Of this run; the one with which the version was published holds as well.
        judge_again: Gives the verdict as the repository stands now.
        try_out: Has a service try the version, beside the champion of this number; see `pipelines.promotion.infra`.
        by: Who promotes.
        say: Receives each message.

    Raises:
        AliasMovedError: Other versions became the champion each time it was decided again.
    """
    version, verdict = manifest.version, manifest.verdict
    withheld = instruction == "never" or (instruction == "gate" and verdict.instruction == "never")
    why, decisions = verdict.reason, 1
    while True:
        moves = repository.alias().history()
        champion = moves[-1].version if moves else None
        if any(move.version == version for move in moves):
            return Advance(promoted=champion == version)
        standing = f"version {champion} stays the champion" if champion else "there is no champion yet"
        if withheld:
            found = f"the gate would {'promote' if verdict.promote else 'reject'} it: {verdict.reason}"
            say(f"not promoted, by order of {verdict.instructed_by or by}: {standing}; {found}")
            return Advance(promoted=False)
        if not verdict.promote and instruction == "gate":
            say(f"not promoted: {verdict.reason}; {standing}")
            return Advance(promoted=False, rejected=verdict.reason)
        if not verdict.promote:
            why = f"by order of {by}, against the gate: {verdict.reason}"
        trial = try_out(champion)
        if not trial.allows and instruction == "gate":
            say(f"not promoted: {trial.words}; {standing}")
            return Advance(promoted=False, rejected=trial.words)
        why = "; ".join(filter(None, (why, trial.words)))
        try:
            expecting = ANY if instruction == "always" else verdict.parent
            repository.promote(version, by=by, why=why, expecting=expecting, probe=rebuild)
        except AliasMovedError as moved:
            if decisions == _DECISIONS:
                raise
            compared = f"version {verdict.parent}" if verdict.parent else "no champion"
            say(f"the verdict on version {version} compared it with {compared}, but {moved}: it is decided again")
            verdict, decisions = judge_again(), decisions + 1
            why = f"decided again, because the champion had changed: {verdict.reason}"
        else:
            say(f"promoted: version {version} is now the champion: {verdict.reason}")
            return Advance(promoted=True)
