"""`python -m pipelines canary`: what it prints, and with which status it ends."""

import json

from typer.testing import CliRunner, Result

from pipelines.canary.challenger_alias import CHALLENGER, begun
from pipelines.cli.commands import app
from tests.pipelines.canary.stage import CANARY, CHAMPION, SOON, WIDE, Stage
from tests.service.tiny_model import damage, weights_file


def asked(stage: Stage, *arguments: str) -> Result:
    words = ["canary", "--repository", str(stage.folder / "models"), "--data-dir", str(stage.folder / "data")]
    services = [word for address in stage.addresses for word in ("--canary-service", address)]
    rules = [word for rule in (*SOON, *WIDE) for word in ("--set", rule)]
    return CliRunner().invoke(app, [*words, *services, *rules, *arguments])


def test_a_service_must_be_named(stage: Stage):
    done = asked(stage)
    assert done.exit_code == 1
    assert "expected --canary-service or NUMERAL_CANARY_SERVICES, such as service:9090" in " ".join(done.stderr.split())


def test_without_a_canary_the_answer_is_none_and_the_status_0(stage: Stage, free_port: int):
    stage.addresses = (f":{free_port}",)
    done = asked(stage, "--json")
    assert (done.exit_code, json.loads(done.stdout)["outcome"]) == (0, "none")


def test_where_no_service_answers_the_status_is_1_and_nothing_is_moved(stage: Stage, free_port: int):
    stage.begin()
    stage.addresses = (f":{free_port}",)
    done = asked(stage, "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["outcome"]) == (1, "waiting")
    assert found["services"][0]["answered"] is False
    assert stage.challenger == CANARY


def test_watching_ends_with_the_canary_as_the_champion(stage: Stage, free_port: int):
    with stage.served(free_port) as service:
        stage.begin()
        service.loaded(CANARY)
        assert asked(stage).exit_code == 0
        service.recognize(100)
        done = asked(stage, "--watch", "--every", "0.2", "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["outcome"], found["version"]) == (0, "forward", CANARY)
    assert {each["name"] for each in found["mishaps"]} == {"failures", "rejections"}
    assert stage.champion == CANARY


def test_a_canary_that_is_stopped_ends_the_command_with_status_3(stage: Stage, free_port: int):
    damage(weights_file(stage.folder / "models", CANARY))
    with stage.served(free_port):
        stage.repository.alias(CHALLENGER).promote(CANARY, by="a test", why=begun(CHAMPION, "it was sound"))
        done = asked(stage, "--watch", "--every", "0.1")
    assert done.exit_code == 3
    assert f"stopped: the canary of version {CANARY} is over: the service at" in " ".join(done.stderr.split())
