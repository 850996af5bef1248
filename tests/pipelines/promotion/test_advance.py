"""The champion's move: what is looked at before it is made, and what becomes of a version that is not moved to."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.artifact.manifest import Manifest, Verdict
from core.artifact.repository import Repository
from core.errors import AliasMovedError, LeaseLostError
from pipelines.order import Instruction
from pipelines.promotion.advance import Advance, advance
from pipelines.promotion.infra import TrialResult
from tests.core.artifact.builders import publish

PASSED = TrialResult(allows=True, words="the trial was passed")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(str(tmp_path / "models"), writable=True)


def make_champion(repository: Repository, seed: int = 9) -> int:
    version = publish(repository, seed).version
    repository.promote(version, by="a person", why="it is better")
    return version


class Scene:
    """One version to be promoted, and what happened on the way."""

    def __init__(self, repository: Repository, *, parent: int | None = None, **verdict: object) -> None:
        self.repository = repository
        self.judged_as = Verdict(**{"promote": True, "reason": "it is good", "parent": parent} | verdict)
        self.manifest: Manifest = publish(repository).model_copy(update={"verdict": self.judged_as})
        self.happened: list[str] = []
        self.said: list[str] = []
        self.at_trial: Callable[[], object] = lambda: None
        self.trial = PASSED

    def judge_again(self) -> Verdict:
        self.happened.append("judged")
        return Verdict(promote=True, reason="it is good still", parent=self.repository.alias().target())

    def try_out(self, champion: int | None) -> TrialResult:
        self.happened.append(f"tried beside {champion}")
        self.at_trial()
        return self.trial

    def advance(self, instruction: Instruction = "gate", check_turn: Callable[[], None] = lambda: None) -> Advance:
        return advance(
            self.repository,
            self.manifest,
            instruction,
            self.judge_again,
            self.try_out,
            check_turn,
            by="a test",
            say=self.said.append,
        )


def test_a_verdict_beside_an_earlier_champion_is_renewed_before_the_trial(repository: Repository) -> None:
    champion = make_champion(repository)
    scene = Scene(repository)
    assert scene.advance().moved
    assert scene.happened == ["judged", f"tried beside {champion}"]
    assert repository.alias().history()[-1].why == (
        "decided again, because the champion had changed: it is good still; the trial was passed"
    )


def test_a_champion_that_changes_during_the_trial_is_compared_with_as_well(repository: Repository) -> None:
    scene = Scene(repository)
    others = iter([8])
    scene.at_trial = lambda: [make_champion(repository, seed) for seed in others]
    assert scene.advance().moved
    assert scene.happened == ["tried beside None", "judged", "tried beside 2"]


def test_a_trial_that_fails_beside_a_new_champion_leaves_that_one(repository: Repository) -> None:
    champion = make_champion(repository)
    scene = Scene(repository)
    scene.trial = TrialResult(allows=False, words="the trial failed", next_step="overrule it", news=True)
    assert scene.advance() == Advance(promoted=False, rejected="the trial failed; overrule it", failed=True)
    assert scene.happened == ["judged", f"tried beside {champion}"]
    assert scene.said[-1] == f"not promoted: the trial failed; overrule it; version {champion} stays the champion"
    scene.trial = replace(scene.trial, news=False)
    assert not scene.advance().failed, "it is told once"


def test_an_order_to_promote_looks_again_if_the_champion_moved(repository: Repository) -> None:
    scene = Scene(repository, promote=False)
    others = iter([8])
    scene.at_trial = lambda: [make_champion(repository, seed) for seed in others]
    assert scene.advance("always").moved
    assert scene.happened == ["tried beside None", "tried beside 2"]
    assert [move.version for move in repository.alias().history()] == [2, 1]


def test_a_champion_that_never_stays_ends_in_one_sentence(repository: Repository) -> None:
    scene = Scene(repository)
    scene.at_trial = lambda: make_champion(repository)
    with pytest.raises(AliasMovedError, match="version 1 was not promoted: the champion changed each of the 10 times"):
        scene.advance()


@pytest.mark.parametrize("instruction", ["gate", "always"])
def test_a_run_that_has_lost_its_lease_moves_nothing(repository: Repository, instruction: Instruction) -> None:
    def lost() -> None:
        raise LeaseLostError("another run has the lease")

    scene = Scene(repository)
    with pytest.raises(LeaseLostError):
        scene.advance(instruction, lost)
    assert scene.happened == ["tried beside None"], "it is looked at right before the move"
    assert repository.alias().history() == []


def test_a_later_run_does_what_was_ordered_when_the_version_was_published(repository: Repository) -> None:
    scene = Scene(repository, promote=False, reason="it is worse", instruction="always", instructed_by="ada")
    assert scene.advance("gate").moved
    [move] = repository.alias().history()
    assert move.why == "by order of ada, against the gate: it is worse; the trial was passed"
    assert scene.said == [f"promoted: version 1 is now the champion: {move.why}"]


def test_an_order_to_promote_a_version_that_was_rolled_back_says_what_does(repository: Repository) -> None:
    make_champion(repository)
    scene = Scene(repository, parent=1)
    assert scene.advance().moved
    repository.alias().rollback(by="a person", why="it misreads sevens")
    scene.said.clear()
    assert scene.advance("gate") == Advance(promoted=False)
    assert scene.said == []
    assert scene.advance("always") == Advance(promoted=False)
    assert scene.said == [
        "not promoted: version 2 was the champion before, and a retraining undoes no rollback; "
        "python -m pipelines models promote 2 does"
    ]


def test_a_version_that_is_the_champion_already_is_not_moved_to_again(repository: Repository) -> None:
    scene = Scene(repository)
    scene.advance()
    assert scene.advance("always") == Advance(promoted=True, moved=False)
