"""Looking at a canary: real services, real calls, a real repository."""

import pytest

from core.artifact.manifest import Rejection
from core.errors import ConfigError
from pipelines.canary.challenger_alias import CHALLENGER, begun
from tests.patience import eventually
from tests.pipelines.canary.stage import CANARY, CHAMPION, SOON, Stage
from tests.service.harness import drawing
from tests.service.tiny_model import damage, publish, weights_file

REFUSES_ALL = Rejection(scale=1.0, offset=-1000.0, threshold=0.5)
REFUSES_NONE = Rejection(scale=1.0, offset=1000.0, threshold=0.5)


def test_a_canary_that_does_no_worse_becomes_the_champion_and_the_history_says_why(stage: Stage, free_port: int):
    with stage.served(free_port) as service:
        stage.begin()
        service.loaded(CANARY)
        assert stage.look().outcome == "waiting", "counting begins with the first look"
        service.recognize(100)
        found = stage.look(minutes=3)
        assert (found.outcome, found.version, found.champion) == ("forward", CANARY, CHAMPION)
        assert found.pictures + found.champion_pictures == 100
        assert abs(found.pictures - 50) <= 3, "half of the calls"
        assert stage.champion == CANARY
        eventually(lambda: service.client.recognize(drawing()).model_version == str(CANARY))
    move = stage.repository.alias().history()[-1]
    assert move.why.startswith("as good as version 1; as a canary for 3 minutes, it did no worse than the champion: ")
    assert f"failures 0 of {found.pictures}, beside 0 of {found.champion_pictures}" in move.why
    assert stage.look().outcome == "none"


def test_a_canary_waits_for_its_pictures_and_its_minutes(stage: Stage, free_port: int):
    stage.overrides = (*stage.overrides, "promotion.canary.minutes=30")
    with stage.served(free_port) as service:
        stage.begin()
        service.loaded(CANARY)
        stage.look()
        service.recognize(100)
        assert "10 of 30 minutes have passed" in stage.look(minutes=10.4).words
        assert stage.look(minutes=30).outcome == "forward"


def test_what_a_service_counted_before_and_after_its_restart_is_added_up(stage: Stage, free_port: int):
    with stage.served(free_port) as service:
        service.recognize(30)  # the champion alone: not in the time of the canary
        stage.begin()
        service.loaded(CANARY)
        stage.look()
        service.recognize(20)
        before = stage.look()
        assert before.pictures + before.champion_pictures == 20
    assert stage.look().deaf, "between the two"
    with stage.served(free_port) as service:
        service.loaded(CANARY)
        service.recognize(10)
        found = stage.look()
        assert found.pictures + found.champion_pictures == 30


def test_a_canary_that_rejects_more_is_stopped_and_no_call_reaches_it_any_more(stage: Stage, free_port: int):
    champion = publish(stage.repository, seed=3, rejection=REFUSES_NONE)
    stage.overrides = (*SOON, "promotion.canary.max_rejection_rise=0.2")
    bad = stage.publish(seed=4, parent=champion, rejection=REFUSES_ALL)
    with stage.served(free_port) as service:
        stage.begin(bad)
        service.loaded(bad)
        stage.look()
        service.recognize(100)
        found = stage.look()
        assert found.outcome == "stopped"
        rejections = f"rejections {found.pictures} of {found.pictures}, beside 0 of {found.champion_pictures}"
        assert f"it does worse than the champion: {rejections}" in found.words
        assert (stage.champion, stage.challenger) == (champion, champion)
        eventually(lambda: {service.client.recognize(drawing()).model_version for _ in range(6)} == {str(champion)})
    assert stage.repository.alias(CHALLENGER).history()[-1].why == found.words
    assert stage.said == [f"{found.words}; version {champion} stays the champion"]


def test_what_only_the_canary_can_refuse_does_not_stop_it(stage: Stage, free_port: int):
    stage.overrides = (*SOON, "promotion.canary.max_rejection_rise=0.2", "promotion.canary.max_failure_rise=0.9")
    refusing = stage.publish(seed=4, rejection=REFUSES_ALL)
    with stage.served(free_port) as service:
        stage.begin(refusing)
        service.loaded(refusing)
        stage.look()
        service.recognize(200)
        assert stage.look().outcome == "forward"


def test_a_canary_that_the_service_has_fallen_back_from_is_stopped(stage: Stage, free_port: int):
    champion = publish(stage.repository, seed=3, rejection=REFUSES_NONE)
    bad = stage.publish(seed=4, parent=champion, rejection=REFUSES_ALL)
    stage.overrides = ("promotion.canary.pictures=1000000", "promotion.canary.max_rejection_rise=1")
    with stage.served(free_port, fallback_seconds=600) as service:
        stage.begin(bad)
        service.loaded(bad)
        stage.look()

        def stopped() -> bool:
            for _ in range(20):
                service.client.recognize(drawing())
            return stage.look().outcome == "stopped"

        eventually(stopped)
    assert f"has fallen back from version {bad}" in stage.repository.alias(CHALLENGER).history()[-1].why


def test_a_canary_that_the_service_cannot_load_is_stopped(stage: Stage, free_port: int):
    with stage.served(free_port):
        damage(weights_file(stage.folder / "models", CANARY))
        why = begun(CHAMPION, "it was sound a moment ago")
        stage.repository.alias(CHALLENGER).promote(CANARY, by="a test", why=why)
        looked = [stage.look()]
        eventually(lambda: looked.append(stage.look()) or looked[-1].outcome != "waiting")
    stopped = [look for look in looked if look.outcome == "stopped"]
    assert stopped, looked[-1]
    assert f"cannot load version {CANARY}: DamagedVersionError" in stopped[0].words
    assert stage.champion == CHAMPION


@pytest.mark.parametrize("canary", [None, "5:10%"])
def test_a_service_that_sends_the_canary_no_calls_is_named_with_the_setting(
    stage: Stage, free_port: int, canary: str | None
):
    with stage.served(free_port, canary=canary, serve_also="challenger") as service:
        stage.begin()
        service.loaded(CANARY)
        found = stage.look()
    assert found.outcome == "waiting"
    assert found.services[0].trouble == (
        f"the service at http://127.0.0.1:{free_port}/metrics sends no calls to the alias challenger: start it with "
        "--canary challenger:10% (NUMERAL_CANARY)"
    )


def test_a_pinned_version_is_named_as_what_keeps_calls_from_the_canary(stage: Stage, free_port: int):
    with stage.served(free_port) as service:
        stage.begin()
        service.loaded(CANARY)
        service.client.pin(str(CHAMPION))
        eventually(lambda: "version 1 is pinned at the service" in (stage.look().services[0].trouble or ""))
        service.client.pin("")
        eventually(lambda: stage.look().services[0].trouble is None)


def test_a_service_that_does_not_answer_is_named_and_nothing_is_decided(stage: Stage, free_port: int):
    stage.begin()
    stage.addresses = (f"127.0.0.1:{free_port}",)
    found = stage.look()
    assert (found.outcome, found.deaf) == ("waiting", True)
    assert f"no metrics at http://127.0.0.1:{free_port}/metrics" in found.words
    assert "is the service started with --metrics-port?" in found.words


def test_a_shadow_that_reads_too_much_otherwise_is_stopped(stage: Stage, free_port: int):
    stage.overrides = (*stage.overrides, "promotion.canary.max_disagreement=0.1")
    with stage.served(free_port, shadow="challenger:100%") as service:
        stage.begin()
        service.loaded(CANARY)
        stage.look()
        service.recognize(100)
        looked = [stage.look()]
        eventually(lambda: looked.append(stage.look()) or looked[-1].outcome == "none")
    stopped = [look for look in looked if look.outcome == "stopped"]
    assert stopped
    assert "disagreements as a shadow" in stopped[0].words


def test_a_canary_that_has_waited_too_long_stays_one_and_that_is_said(stage: Stage, free_port: int):
    with stage.served(free_port) as service:
        stage.begin()
        service.loaded(CANARY)
        stage.look()
        found = stage.look(minutes=5000)
    assert found.outcome == "waiting"
    assert "it has answered 0 of 20 pictures" in found.words
    assert "after 5,000 minutes, more than promotion.canary.longest_minutes, it stays a canary" in found.words
    assert stage.challenger == CANARY


def test_a_version_that_a_person_made_the_challenger_goes_forward_only_by_hand(stage: Stage, free_port: int):
    stage.repository.promote(CANARY, by="ada", why="to look at it", alias=CHALLENGER)
    stage.addresses = (f"127.0.0.1:{free_port}",)
    found = stage.look()
    assert (found.outcome, found.ended) == ("none", True)
    assert found.words == (
        "no version is a canary: the alias challenger names version 2, by ada (to look at it), and goes forward only "
        "by hand: models promote"
    )


def test_a_canary_that_was_champion_and_was_rolled_back_gets_no_more_calls(stage: Stage, free_port: int):
    stage.addresses = (f"127.0.0.1:{free_port}",)
    stage.begin()
    stage.repository.promote(CANARY, by="ada", why="it is good")
    assert stage.look().outcome == "none"
    assert (stage.champion, stage.challenger) == (CANARY, CANARY)
    stage.repository.rollback(by="ada", why="it misreads sevens")
    assert stage.look().outcome == "none"
    assert (stage.champion, stage.challenger) == (CHAMPION, CHAMPION)
    stage.repository.promote(stage.publish(seed=3), by="ada", why="it is better")
    stage.look()
    assert stage.challenger == stage.champion, "it follows the champion as long as there is no canary"


def test_without_a_service_to_ask_there_is_nothing_to_look_at(stage: Stage):
    with pytest.raises(ConfigError, match="no service is named that could be asked about a canary"):
        stage.look()
