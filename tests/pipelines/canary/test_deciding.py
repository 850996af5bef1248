"""What is done about a canary, while others move the same aliases, hold the lease, or have just been killed."""

import base64

import pytest

from core.artifact.manifest import Verdict
from pipelines.canary.challenger_alias import CHALLENGER, Canary, canary_in
from pipelines.canary.deciding import Deciding
from pipelines.retrain import job, promoting
from pipelines.schedule.journal import Journal
from pipelines.sections import CanarySection, PromotionSection
from tests.pipelines.canary.stage import CANARY, CHAMPION, Stage
from tests.pipelines.notices.receiver import Receiver

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes....").decode()
WORDS = "as a canary for 60 minutes, it did no worse than the champion"


def deciding(stage: Stage) -> Deciding:
    return Deciding(stage.order, PromotionSection(canary=CanarySection()), stage.said.append)


def current(stage: Stage) -> Canary:
    store = stage.repository
    found = canary_in(store.alias(CHALLENGER).history(), store.alias().history())
    assert found is not None
    return found


@pytest.fixture
def begun(stage: Stage) -> Stage:
    stage.begin()
    return stage


def test_a_canary_becomes_the_champion_by_one_conditional_move_and_is_recorded(begun: Stage):
    found = deciding(begun).forward(current(begun), WORDS)
    assert (found.outcome, begun.champion) == ("forward", CANARY)
    move = begun.repository.alias().history()[-1]
    assert (move.previous, move.why) == (CHAMPION, f"as good as version 1; {WORDS}")
    record = Journal(begun.order.data_dir).read()
    assert record is not None
    assert record.last_promotion is not None
    assert (record.last_promotion.version, record.last_success) == (CANARY, None)


def test_while_a_retraining_holds_the_lease_a_canary_waits(begun: Stage):
    grant = begun.repository.lease().take()
    assert grant is not None
    canary = current(begun)
    found = deciding(begun).forward(canary, WORDS)
    assert (found.outcome, begun.champion) == ("waiting", CHAMPION)
    assert "another run holds the lease" in found.words
    grant.release()
    assert deciding(begun).forward(canary, WORDS).outcome == "forward"


def judged(promote: bool, reason: str, monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:
    """Let the gate decide again so; what it reads is the subject of its own tests."""
    monkeypatch.setattr(job, "with_its_data", lambda *_: None)
    monkeypatch.setattr(Deciding, "_run", lambda *_: None)
    verdict = lambda *_: Verdict(promote=promote, reason=reason, parent=stage.champion)  # noqa: E731
    monkeypatch.setattr(promoting, "judge_again", verdict)


def test_beside_a_new_champion_that_the_gate_lets_it_follow_the_canary_begins_again(
    begun: Stage, monkeypatch: pytest.MonkeyPatch
):
    other = begun.publish(seed=3)
    begun.repository.promote(other, by="ada", why="I know better")
    judged(True, "as good as version 3", monkeypatch, begun)
    assert deciding(begun).again(current(begun)).outcome == "begun"
    assert current(begun).beside == other
    assert begun.champion == other, "it was compared with another version until now"


def test_beside_a_new_champion_that_is_better_the_canary_is_over(begun: Stage, monkeypatch: pytest.MonkeyPatch):
    other = begun.publish(seed=3)
    begun.repository.promote(other, by="ada", why="I know better")
    judged(False, "it is worse than version 3", monkeypatch, begun)
    found = deciding(begun).again(current(begun))
    assert (found.outcome, begun.challenger) == ("stopped", other)
    assert found.words == "the canary of version 2 is over: it is worse than version 3"


def test_a_champion_that_changes_right_before_the_move_is_not_replaced_without_a_comparison(
    begun: Stage, monkeypatch: pytest.MonkeyPatch
):
    canary = current(begun)
    other = begun.publish(seed=3)
    begun.repository.promote(other, by="ada", why="I know better")
    judged(True, "as good as version 3", monkeypatch, begun)
    assert deciding(begun).forward(canary, WORDS).outcome == "begun"
    assert begun.champion == other


def test_a_canary_that_was_replaced_meanwhile_is_not_stopped_in_the_place_of_the_other(begun: Stage):
    canary, other = current(begun), begun.publish(seed=3)
    begun.repository.promote(other, by="ada", why="to look at it", alias=CHALLENGER)
    found = deciding(begun).stop(canary, "it fails")
    assert (found.outcome, begun.challenger) == ("waiting", other)
    assert "another writer has moved it" in found.words


def test_a_canary_of_which_nothing_can_be_read_is_stopped_all_the_same(begun: Stage):
    canary = current(begun)
    (begun.folder / "models" / "mnist" / str(CANARY) / "manifest.json").write_bytes(b"{")
    assert deciding(begun).stop(canary, "it fails").outcome == "stopped"
    assert begun.challenger == CHAMPION


def test_others_are_told_that_a_canary_was_promoted_or_stopped(begun: Stage, monkeypatch: pytest.MonkeyPatch):
    with Receiver(SECRET) as receiver:
        monkeypatch.setenv("NUMERAL_WEBHOOK_URL", receiver.url)
        monkeypatch.setenv("NUMERAL_WEBHOOK_SECRET", SECRET)
        canary = current(begun)
        deciding(begun).stop(canary, "it fails")
        begun.begin()
        deciding(begun).forward(current(begun), WORDS)
    sent = [(notice["type"], notice["data"]["version"], notice["data"]["reason"]) for notice in receiver.received]
    assert sent == [
        ("numeral.model.rejected", CANARY, "the canary of version 2 is over: it fails"),
        ("numeral.model.promoted", CANARY, WORDS),
    ]


def test_whoever_was_killed_before_the_move_has_done_nothing_that_the_next_look_does_not_do(
    begun: Stage, monkeypatch: pytest.MonkeyPatch
):
    class KilledError(BaseException):
        """As of a signal that nothing answers."""

    def kill(*_: object, **__: object) -> None:
        raise KilledError

    canary = current(begun)
    with monkeypatch.context() as patch:
        patch.setattr(promoting, "advance", kill)
        with pytest.raises(KilledError):
            deciding(begun).forward(canary, WORDS)
    assert begun.champion == CHAMPION
    assert deciding(begun).forward(current(begun), WORDS).outcome == "forward"
