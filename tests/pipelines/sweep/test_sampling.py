"""What Optuna decides: the same after any kill, and learned from every trial."""

from itertools import product

import pytest
from optuna.distributions import FloatDistribution

from pipelines.sweep.course import Epoch
from pipelines.sweep.sampling import Sampling, _distribution
from pipelines.sweep.space import Between, OneOf, Space
from tests.pipelines.sweep.sweeps import SPACE


def opened(folder, space=SPACE, **given):
    folder.mkdir(exist_ok=True)
    settings = {"objective": "loss", "pruner": "median", "epochs": 4, "seed": 0} | given
    return Sampling(folder / "journal.log", space, **settings)


def epoch(loss):
    return Epoch(train_loss=loss, validation_loss=loss, validation_accuracy=1 - loss / 10)


def end(sampling, number, loss=0.5):
    sampling.judge(number, (epoch(loss),))
    sampling.complete(number, epoch(loss))


def test_the_values_drawn_do_not_depend_on_when_the_journal_was_opened(tmp_path):
    through, again = opened(tmp_path / "through"), []
    drawn = []
    for number in range(14):  # beyond the random ones
        drawn.append(through.begin())
        end(through, number, 0.5 + number % 3)
        again.append(opened(tmp_path / "again").begin())
        sampling = opened(tmp_path / "again")
        assert list(sampling.unfinished()) == [number]
        end(sampling, number, 0.5 + number % 3)
    assert again == drawn


def test_an_interrupted_trial_keeps_its_number_and_its_values(tmp_path):
    sampling = opened(tmp_path)
    first, second = sampling.begin(), sampling.begin()
    assert opened(tmp_path).unfinished() == dict([first, second])
    assert opened(tmp_path).count == 2


def test_another_seed_draws_other_values(tmp_path):
    assert opened(tmp_path / "a").begin() != opened(tmp_path / "b", seed=1).begin()


@pytest.mark.parametrize("torn", [b'{"op_code":4,', b"{", b'{"op_code":0}'])
def test_a_line_that_a_kill_has_left_incomplete_is_cut_off(tmp_path, torn):
    before = opened(tmp_path)
    number, values = before.begin()
    with (tmp_path / "journal.log").open("ab") as file:
        file.write(torn)
    sampling = opened(tmp_path)
    assert sampling.unfinished() == {number: values}
    end(sampling, number)
    assert opened(tmp_path).unfinished() == {}


def test_a_journal_of_one_incomplete_line_begins_anew(tmp_path):
    (tmp_path / "journal.log").write_bytes(b'{"op_')
    assert opened(tmp_path).count == 0


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_bad_trials_are_pruned_and_better_ones_than_all_are_not(tmp_path, pruner):
    sampling = opened(tmp_path, pruner=pruner, epochs=9)
    for number in range(12):
        sampling.begin()
        sampling.judge(number, tuple(epoch(1.0 - number / 100) for _ in range(9)))
        sampling.complete(number, epoch(1.0 - number / 100))
    bad = [sampling.judge(sampling.begin()[0], tuple(epoch(3.0) for _ in range(8))) for _ in range(6)]
    good = [sampling.judge(sampling.begin()[0], tuple(epoch(0.1) for _ in range(8))) for _ in range(6)]
    assert any(bad)  # hyperband spares those of some brackets for longer
    assert not any(good)


def test_epochs_that_were_reported_before_are_not_reported_twice(tmp_path, recwarn):
    sampling = opened(tmp_path)
    number, _ = sampling.begin()
    sampling.judge(number, (epoch(1.0),))
    resumed = opened(tmp_path)
    assert list(resumed.unfinished()) == [number]
    assert resumed.judge(number, (epoch(1.0), epoch(0.9))) is False
    assert not [warning for warning in recwarn if "already reported" in str(warning.message)]


def test_the_key_that_decides_is_the_most_important(tmp_path):
    sampling = opened(tmp_path, pruner="none")
    assert sampling.importances() == {}
    for number in range(30):
        _, values = sampling.begin()
        end(sampling, number, abs(values["model.layers.0.units"] - 8))
    shares = sampling.importances()
    assert next(iter(shares)) == "model.layers.0.units"
    assert set(shares) == {one.key for one in SPACE.parameters}


def test_a_failed_trial_counts_as_worse_than_all_others_however_far_it_came(tmp_path):
    schedules = OneOf("train.schedule", ('"constant"', '"cosine"'))
    sampling = opened(tmp_path, Space("one.toml", (schedules,)), pruner="none", epochs=9)
    for number in range(20):
        failed = number % 2
        sampling.begin({schedules.key: schedules.choices[not failed]})
        sampling.judge(number, tuple(epoch(0.3) for _ in range(5 if failed else 2)))
        (sampling.fail if failed else sampling.prune)(number)
    assert [sampling.begin()[1][schedules.key] for _ in range(3)] == ['"cosine"'] * 3


def test_an_interval_with_steps_reaches_its_end_and_nothing_is_warned_of(tmp_path, recwarn):
    for low, step, count in product(range(20), range(1, 10), range(1, 12)):
        ends = low / 100, (low + step * count) / 100
        found = _distribution(Between("key", *ends, step=step / 100))
        assert isinstance(found, FloatDistribution)
        assert (found.low, found.high) == ends
    assert not list(recwarn)
    short = _distribution(Between("key", 0.0, 1.0, step=0.3))  # not as far as half a step
    assert isinstance(short, FloatDistribution)
    assert (short.high, len(recwarn)) == (0.9, 0)
    sampling = opened(tmp_path, Space("one.toml", (Between("key", 0.01, 0.1, step=0.01),)))
    assert sampling.begin({"key": 0.1}) == (0, {"key": 0.1})
