"""Contenders by turns, each in its own process."""

from functools import partial
from types import SimpleNamespace

import pytest

from benchmarks.contender import Side
from benchmarks.runner import Peer, compare, warn_of_the_restless, warn_of_what_misleads
from tests.benchmarks.contenders import Failing, Noting, Restless
from tests.patience import eventually


def compared(ours, *peers, rounds=1):
    return compare("case", ours, peers, rounds=rounds, seconds=0.001, tolerance=1e-3)


@pytest.fixture
def notes(tmp_path):
    return tmp_path / "notes"


def test_each_round_measures_us_and_then_every_peer_that_is_installed(notes):
    peers = [
        Peer("b", "numpy", partial(Noting, "b", notes)),
        Peer("absent", "a-package-that-nobody-has", partial(Noting, "x", notes)),
        Peer("c", "numpy", partial(Noting, "c", notes)),
    ]
    results = compared(partial(Noting, "a", notes), *peers, rounds=3)
    assert notes.read_text() == "abcabcabc"
    assert [(result.peer, result.theirs is None) for result in results] == [
        ("b", False),
        ("absent", True),
        ("c", False),
    ]


@pytest.mark.parametrize(("found", "agrees"), [(1.0, True), (1.0019, True), (1.0021, False), (float("nan"), False)])
def test_a_peer_agrees_where_its_numbers_differ_by_less_than_the_tolerance(notes, found, agrees):
    """1e-3 of the largest of our numbers, which is 2."""
    (result,) = compared(partial(Noting, "a", notes), Peer("b", "numpy", partial(Noting, "b", notes, found)))
    assert result.agrees is agrees


def test_a_peer_that_lacks_something_besides_is_not_installed(notes):
    peer = Peer("b", "numpy", partial(Noting, "b", notes), also=("a-package-that-nobody-has",))
    (result,) = compared(partial(Noting, "a", notes), peer)
    assert (result.theirs, result.version) == (None, None)


def test_who_is_busy_while_others_are_measured_is_named(capsys):
    restless = SimpleNamespace(waited=2.0, spent=0.5)
    quiet = SimpleNamespace(waited=2.0, spent=0.001)
    warn_of_the_restless("case", {"restless": restless, "quiet": quiet, "once": SimpleNamespace(waited=0.0, spent=0.0)})
    assert capsys.readouterr().err == "case: restless kept 25% of a core busy while others were measured\n"


def test_what_a_side_computes_between_its_turns_is_counted(notes):
    with Side(partial(Restless, "a", notes)) as restless:
        restless.ask("evidence")
        restless.ask("pace", 0.001)
        assert (restless.waited, restless.spent) == (0, 0), "nobody was measured before its first turn"
        eventually((notes.parent / Restless.TOLD).exists, "it has been busy")
        restless.ask("pace", 0.001)
    assert restless.spent > Restless.SECONDS / 2, "all but what it computed while its own turn had not ended"
    assert restless.waited > 0


def test_who_has_told_numpy_which_kernels_to_use_is_told_so(monkeypatch, capsys):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    warn_of_what_misleads()
    assert "OPENBLAS" not in capsys.readouterr().err
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    warn_of_what_misleads()
    assert "begin the command with: env -u OPENBLAS_CORETYPE" in capsys.readouterr().err


def test_a_contender_that_fails_ends_the_run_instead_of_keeping_it_waiting(notes):
    with pytest.raises(RuntimeError, match="evidence failed in the contender's process"):
        compared(partial(Noting, "a", notes), Peer("b", "numpy", partial(Failing, "b", notes)))
