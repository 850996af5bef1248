"""How a version becomes a canary instead of the champion, and what keeps it from that."""

from datetime import UTC, datetime, timedelta

import pytest

from core.artifact.manifest import Verdict
from pipelines.canary.beginning import AsCanary
from pipelines.canary.challenger_alias import CHALLENGER
from pipelines.promotion.advance import Advance, advance
from pipelines.promotion.infra import TrialResult
from pipelines.sections import CanarySection
from tests.pipelines.canary.stage import CANARY, CHAMPION, Stage


def advanced(
    stage: Stage, version: int = CANARY, instruction: str = "gate", later: float = 0.0, *, begins: bool = True
) -> Advance:
    """What a retraining does with a version, so many minutes later."""
    clock = datetime.now(UTC) + timedelta(minutes=later)
    repository = stage.repository
    return advance(
        repository,
        repository.manifest(version),
        instruction,  # type: ignore[arg-type]
        lambda: Verdict(promote=True, reason="good still", parent=repository.alias().target()),
        lambda champion: TrialResult(allows=True, words=f"tried beside {champion}"),
        lambda: None,
        by="a test",
        say=stage.said.append,
        probation=AsCanary(repository, version, CanarySection(), by="a test", begins=begins, clock=lambda: clock),
    )


def test_a_version_that_would_become_the_champion_becomes_a_canary(stage: Stage):
    assert advanced(stage) == Advance(promoted=False, canary=True, begun=True)
    assert (stage.champion, stage.challenger) == (CHAMPION, CANARY)
    [move] = stage.repository.alias(CHALLENGER).history()
    assert move.why == "as a canary beside version 1: as good as version 1; tried beside 1"
    assert stage.said == [
        "not promoted yet: version 2 is a canary now, beside version 1, for at least 1,000 pictures and 60 minutes: "
        "as good as version 1; tried beside 1; python -m pipelines canary says how it does; version 1 stays the "
        "champion"
    ]


def test_a_later_run_leaves_a_canary_alone(stage: Stage):
    advanced(stage)
    stage.said.clear()
    assert advanced(stage) == Advance(promoted=False, canary=True)
    assert len(stage.repository.alias(CHALLENGER).history()) == 1
    assert stage.said[0].startswith("not promoted yet: version 2 has been a canary beside version 1 since 20")


def test_without_a_champion_there_is_nothing_to_compare_with_and_the_version_is_promoted(tmp_path):
    stage = Stage(tmp_path, [])
    stage.publish(seed=1, parent=None)
    assert advanced(stage, 1).moved
    assert stage.challenger is None


def test_a_canary_that_was_stopped_is_not_begun_again_and_the_reason_is_told(stage: Stage):
    advanced(stage)
    stage.repository.promote(CHAMPION, by="a test", why="the canary of version 2 is over: it fails", alias=CHALLENGER)
    found = advanced(stage)
    assert found.rejected == (
        "version 2 has been a canary before: the canary of version 2 is over: it fails; models promote 2 overrules that"
    )
    assert stage.challenger == CHAMPION
    assert advanced(stage, instruction="always").moved, "a person overrules it"


def test_beside_another_champion_a_canary_begins_again_once_it_was_judged_again(stage: Stage):
    advanced(stage)
    other = stage.publish(seed=3)
    stage.repository.promote(other, by="ada", why="I know better")
    assert advanced(stage) == Advance(promoted=False, canary=True, begun=True)
    move = stage.repository.alias(CHALLENGER).history()[-1]
    assert (move.version, move.previous) == (CANARY, CANARY)
    assert move.why.startswith(f"as a canary beside version {other}: decided again, because the champion had changed")


def test_a_newer_version_waits_for_a_canary_that_has_time_left(stage: Stage):
    advanced(stage)
    newer = stage.publish(seed=3)
    found = advanced(stage, newer, later=4319)
    assert found == Advance(promoted=False)
    assert "version 2 is a canary, and may be one until 20" in stage.said[-1]
    assert f"a later run decides about version {newer}" in stage.said[-1]
    assert stage.challenger == CANARY


def test_a_newer_version_takes_the_place_of_a_canary_whose_time_is_over(stage: Stage):
    advanced(stage)
    newer = stage.publish(seed=3)
    assert advanced(stage, newer, later=4321).begun
    assert stage.challenger == newer
    assert "has been a canary before: version 3 became the challenger" in (advanced(stage).rejected or "")


def test_what_a_person_has_made_the_challenger_is_not_taken_away(stage: Stage):
    shown = stage.publish(seed=3)
    stage.repository.promote(shown, by="ada", why="to compare it", alias=CHALLENGER)
    assert advanced(stage) == Advance(promoted=False)
    assert f"the alias challenger names version {shown} since 20" in stage.said[-1]
    assert "by ada: to compare it" in stage.said[-1]
    assert "models promote 1 --alias challenger" in stage.said[-1]
    assert stage.challenger == shown


@pytest.mark.parametrize("version", [CHAMPION, CANARY])
def test_an_alias_that_names_the_champion_or_the_version_itself_is_free(stage: Stage, version: int):
    stage.repository.promote(version, by="ada", why="to compare it", alias=CHALLENGER)
    assert advanced(stage).begun


def test_an_order_to_promote_makes_no_canary(stage: Stage):
    assert advanced(stage, instruction="always").moved
    assert stage.challenger is None


def test_a_challenger_that_moves_at_the_last_moment_is_left_where_it_is(stage: Stage, monkeypatch):
    store = stage.repository
    canary = AsCanary(store, CANARY, CanarySection(), by="a test")
    shown = stage.publish(seed=3)
    before = store.promote

    def promote(version: int, **how: object) -> object:
        stage.repository.promote(shown, by="ada", why="just now", alias=CHALLENGER)
        return before(version, **how)

    monkeypatch.setattr(store, "promote", promote)
    held = canary.before_move(CHAMPION, "it is good")
    assert not isinstance(held, str)
    assert (held.canary, held.rejected) == (False, False)
    assert "another writer has moved it; the next run decides about version 2" in held.words
    assert stage.challenger == shown


def test_a_run_without_services_to_ask_promotes_at_once_but_no_version_that_is_or_was_a_canary(stage: Stage):
    advanced(stage)
    assert advanced(stage, begins=False) == Advance(promoted=False, canary=True)
    stage.repository.promote(CHAMPION, by="a test", why="the canary of version 2 is over: it fails", alias=CHALLENGER)
    assert "it fails" in (advanced(stage, begins=False).rejected or "")
    assert advanced(stage, stage.publish(seed=3), begins=False).moved
