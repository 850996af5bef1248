"""The attacks of the soak test: what their judges say of made-up outcomes, and one of them carried out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.attacks.all_attacks import ATTACKS, chosen
from benchmarks.attacks.arena import Arena
from benchmarks.attacks.attack import Attack, Figure, Verdict
from benchmarks.attacks.crowd import Idle
from benchmarks.attacks.lifecycle import Calls, Replacement, Return
from benchmarks.attacks.load import Beside, Waits
from benchmarks.attacks.options import Starts
from benchmarks.attacks.secrets import Ending, Handshakes
from benchmarks.attacks.storage import Flipped, Following
from benchmarks.attacks.streams import Memory
from benchmarks.attacks.texts import Replies
from benchmarks.attacks.verdicts import write
from core.artifact.repository import Repository
from core.errors import ConfigError
from tests.service.tiny_model import publish

ROOT = Path(__file__).parents[2]

# An outcome with which the service has held, and some with which it has not.
OUTCOMES = {
    "unread-streams": (Memory(90, 180, 120), [Memory(90, 1576, 95), Memory(90, 180, 160)]),
    "unread-infer-streams": (Memory(90, 91, 90), [Memory(90, 324, 90)]),
    "restarts": (Calls(6, 4592, 0, 0), [Calls(6, 4592, 25, 0), Calls(6, 4592, 0, 1)]),
    "costly-pictures": (Waits((0.1, 1.9), 0), [Waits((0.1, 10.0), 0), Waits((0.1,), 1), Waits((), 0)]),
    "short-deadlines": (Beside(20, 0), [Beside(20, 1)]),
    "expired-certificate": (Handshakes(0, False), [Handshakes(1, False), Handshakes(0, True)]),
    "revoked-token": (Ending(9.0, "UNAUTHENTICATED"), [Ending(25.0, "open"), Ending(2.0, "CANCELLED")]),
    "outage": (Return(1.9, 0.1), [Return(17.6, 0.1), Return(0.1, 2.5)]),
    "stopped-worker": (Replacement(6.0, 0), [Replacement(25.0, 0), Replacement(6.0, 1)]),
    "shared-metrics-port": (False, [True]),
    "hanging-version": (Following({"next": 59.0}), [Following({"next": 65.0})]),
    "torn-alias": (Following({"last": 0.0}), [Following({"last": 25.0})]),
    "bad-entries": (Following({"new": 1.0, "restart": 1.0}), [Following({"new": 1.0, "restart": 25.0})]),
    "swapped-link": (Following({"new": 1.0}), [Following({"new": 25.0})]),
    "bit-flips": (Flipped(60, 0), [Flipped(60, 1)]),
    "thousands-of-versions": (Idle(0.9, 20.0), [Idle(11.0, 20.0)]),
    "hostile-texts": (Replies(500, ()), [Replies(500, ("Recognize.model_version: INTERNAL",))]),
    "malformed-messages": (Replies(500, ()), [Replies(500, ("2 tracebacks in the log",))]),
    "impossible-settings": (
        Starts({"a": "refused", "b": "serves", "c": "waits"}),
        [Starts({"a": "traceback"}), Starts({"a": "neither serves nor ends"}), Starts({"a": "status 1"})],
    ),
}


def test_every_attack_has_a_name_of_its_own_a_sentence_and_an_outcome():
    assert [attack.name for attack in ATTACKS] == list(OUTCOMES)
    assert all(attack.__doc__.splitlines()[0].endswith(".") for attack in ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_judge_tells_a_service_that_held_from_one_that_has_not(attack):
    good, bad = OUTCOMES[attack.name]
    assert all(figure.held for figure in attack().judge(good))
    for outcome in bad:
        assert not all(figure.held for figure in attack().judge(outcome))


def test_attacks_are_chosen_by_a_pattern_and_an_unknown_one_is_refused():
    assert [attack.name for attack in chosen("unread-*")] == ["unread-streams", "unread-infer-streams"]
    with pytest.raises(ConfigError, match="no attack matches 'unred'; known: unread-streams, "):
        chosen("unred")


class Impossible(Attack[None]):
    """An attack on a service that does not start."""

    name = "impossible"

    def act(self, arena: Arena) -> None:
        raise ConfigError("the service does not start")

    def judge(self, seen: None) -> tuple[Figure, ...]:
        raise AssertionError("there is nothing to judge")


def test_a_service_that_does_not_even_start_has_not_held(tmp_path, capsys):
    verdict = Impossible().run(Arena(tmp_path, tmp_path, 1))
    assert verdict == Verdict("impossible", Impossible.__doc__, (), "the service does not start")
    assert not write([verdict], as_json=False)
    assert "bent  impossible: the service does not start" in capsys.readouterr().out


def test_in_json_the_first_figure_beyond_its_limit_stands_for_the_attack(capsys):
    figures = (Figure("grew by", 10, 100, "MB"), Figure("kept", 80, 50, "MB"), Figure("lost", 3, 0, "calls"))
    assert not write([Verdict("streams", "It streams.", figures)], as_json=True)
    [row] = json.loads(capsys.readouterr().out)
    assert (row["case"], row["ours"], row["theirs"], row["unit"], row["held"]) == ("streams: kept", 80, 50, "MB", False)
    assert [figure["held"] for figure in row["figures"]] == [True, False, False]


def test_an_attack_is_carried_out_on_a_real_service_and_judged(tmp_path):
    publish(Repository(str(tmp_path / "models"), writable=True), seed=1)
    options = ["soak", "--attack", "--only", "shared-metrics-port", "--repository", tmp_path / "models", "--json"]
    command = [sys.executable, "-m", "benchmarks", *map(str, options)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    [row] = json.loads(done.stdout)
    assert (row["trouble"], row["unit"]) == ("", "services")
    assert (row["held"], row["ours"], done.returncode) == (True, 0, 0), row
