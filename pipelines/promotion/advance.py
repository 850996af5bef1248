"""The champion's move: made only if the champion still is the one that the verdict names, else decided again."""

from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict

from core.artifact.alias import Move
from core.artifact.manifest import Manifest, Verdict
from core.artifact.repository import Repository
from core.errors import AliasMovedError, RepositoryError
from core.inference.predict import rebuild
from pipelines.order import Instruction
from pipelines.promotion.infra import TrialResult
from pipelines.promotion.probation import Held, NoProbation, Probation

_LOOKS = 10
"""How often the champion is looked at. Each further look means that yet another version became the champion while a
version was judged or tried; under the lease of the repository, only people promote meanwhile."""


class Advance(BaseModel):
    """What became of a version.

    Attributes:
        promoted: Whether it is the champion now.
        rejected: Why the gate refused it; None if it did not, or was overruled.
        moved: Whether it has become the champion just now, rather than in an earlier run.
        canary: Whether it is a canary, which may become the champion later; see `pipelines.canary`.
        begun: Whether it has become a canary just now.
        failed: Whether it was tried by a service just now, and failed.
        why: What spoke for it, if it has become the champion just now: its verdict, or the order that overruled it.
    """

    model_config = ConfigDict(frozen=True)

    promoted: bool
    rejected: str | None = None
    moved: bool = False
    canary: bool = False
    begun: bool = False
    failed: bool = False
    why: str | None = None


def advance(
    repository: Repository,
    manifest: Manifest,
    instruction: Instruction,
    judge_again: Callable[[], Verdict],
    try_out: Callable[[int | None], TrialResult],
    check_turn: Callable[[], None],
    *,
    by: str,
    say: Callable[[str], None],
    probation: Probation | None = None,
) -> Advance:
    """Make a version the champion if its verdict and its trial say so; only once, so that a rollback is not undone.

    Args:
        repository: Holds the version.
        manifest: Of the version.
        instruction: Of this run. If it leaves the decision to the gate, the one with which the version was published
            holds: what was ordered then is done by a later run too, if that run was killed.
        judge_again: Gives the verdict as the repository stands now.
        try_out: Has a service try the version, beside the champion of this number; see `pipelines.promotion.infra`.
        check_turn: Raises `LeaseLostError` if another run works for the repository now; called right before the move.
        by: Who promotes.
        say: Receives each message.
        probation: What the version has to go through before it may be champion; None if nothing. An order to promote
            overrules it as it overrules the gate.

    Raises:
        AliasMovedError: Other versions became the champion each time it was decided again.
        LeaseLostError: See `check_turn`; nothing was moved.
    """
    version, verdict = manifest.version, manifest.verdict
    order, orderer = _in_force(instruction, verdict, by)
    why, due = verdict.reason, probation if probation and order == "gate" else NoProbation()
    for _ in range(_LOOKS):
        moves = repository.alias().history()
        champion = moves[-1].version if moves else None
        if any(move.version == version for move in moves):
            return _promoted_before(version, champion, instruction, say)
        standing = f"version {champion} stays the champion" if champion else "there is no champion yet"
        if refused := _refused(order, orderer, verdict, standing, say):
            return refused
        if order == "gate" and champion != verdict.parent:  # before a trial, which takes minutes
            compared = f"version {verdict.parent}" if verdict.parent else "no champion"
            now = f"version {champion} is the champion now" if champion else "there is none now"
            say(f"the verdict on version {version} compared it with {compared}, but {now}: it is decided again")
            verdict = judge_again()
            why = f"decided again, because the champion had changed: {verdict.reason}"
            continue
        if not verdict.promote:
            why = f"by order of {orderer}, against the gate: {verdict.reason}"
        if held := due.standing(champion):
            return _held(held, standing, say)
        trial = try_out(champion)
        if order == "gate" and not trial.allows:
            refusal = "; ".join(filter(None, (trial.words, trial.next_step)))
            say(f"not promoted: {refusal}; {standing}")
            return Advance(promoted=False, rejected=refusal, failed=trial.news)
        reasons = "; ".join(filter(None, (why, trial.words)))
        check_turn()
        found = due.before_move(champion, reasons)
        if isinstance(found, Held):
            return _held(found, standing, say)
        reasons = "; ".join(filter(None, (reasons, found)))
        if not _moves(repository, version, moves, by=by, why=reasons):
            continue  # while the version was tried: the next look sees where the alias points now
        say(f"promoted: version {version} is now the champion: {reasons}")
        return Advance(promoted=True, moved=True, why=why)
    raise AliasMovedError(
        f"version {version} was not promoted: the champion changed each of the {_LOOKS} times that it was looked at, "
        "expected that it stays; run again"
    )


def _moves(repository: Repository, version: int, before: Sequence[Move], *, by: str, why: str) -> bool:
    """Move the alias, unless it has moved on since `before`; whether this was done."""
    try:
        repository.promote(version, by=by, why=why, expecting=before[-1].version if before else None, probe=rebuild)
    except AliasMovedError:
        return False
    except RepositoryError as error:
        # After a move, it is looked at whether the version is still there. If the storage fails then, a second attempt
        # would take the move for that of an earlier run.
        try:
            since = repository.alias().history()[len(before) :]
        except RepositoryError:
            raise error from None
        if not since or since[-1].version != version:
            raise
    return True


def _promoted_before(
    version: int, champion: int | None, instruction: Instruction, say: Callable[[str], None]
) -> Advance:
    """What becomes of a version that was the champion before, and perhaps still is."""
    if instruction == "always" and champion != version:
        say(
            f"not promoted: version {version} was the champion before, and a retraining undoes no rollback; "
            f"python -m pipelines models promote {version} does"
        )
    return Advance(promoted=champion == version)


def _refused(
    order: Instruction, orderer: str, verdict: Verdict, standing: str, say: Callable[[str], None]
) -> Advance | None:
    """What becomes of a version that an order or the gate keeps from being promoted; None if neither does."""
    if order == "never":
        found = f"the gate would {'promote' if verdict.promote else 'reject'} it: {verdict.reason}"
        say(f"not promoted, by order of {orderer}: {standing}; {found}")
        return Advance(promoted=False)
    if order == "gate" and not verdict.promote:
        say(f"not promoted: {verdict.reason}; {standing}")
        return Advance(promoted=False, rejected=verdict.reason)
    return None


def _held(held: Held, standing: str, say: Callable[[str], None]) -> Advance:
    """Say that a version is not promoted for now, or not at all."""
    say(f"not promoted{'' if held.rejected else ' yet'}: {held.words}; {standing}")
    return Advance(promoted=False, rejected=held.words if held.rejected else None, canary=held.canary, begun=held.begun)


def _in_force(instruction: Instruction, verdict: Verdict, by: str) -> tuple[Instruction, str]:
    """The instruction that holds, and who gave it."""
    if instruction == "gate" and verdict.instruction != "gate":
        return verdict.instruction, verdict.instructed_by or by
    return instruction, by
