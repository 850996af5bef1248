import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from core.data.batches import Batches
from core.errors import DivergenceError, TrainingError
from core.nn.sequential import Sequential
from core.optim.optimizers import Optimizer
from core.optim.schedules import Constant, Cosine
from core.train.loop import measure
from core.train.report import EpochReport
from tests.core.train.clouds import clouds, small_network, train_batches, train_on_clouds, validation_batches
from tests.floats import assert_same_function, by_hand


def training(network: Sequential, **changes: Any) -> Iterator[EpochReport]:
    return train_on_clouds(network, **{"schedule": Cosine()} | changes)


def test_a_problem_that_can_be_learned_is_learned() -> None:
    network = small_network()
    before, _ = measure(network, validation_batches())
    *_, last = training(network, epochs=10)
    assert last.train_accuracy == last.validation_accuracy == 1.0
    assert last.validation_loss < 0.25 < before


def test_a_report_comes_after_every_epoch_and_agrees_with_the_network() -> None:
    network = small_network()
    for number, report in enumerate(training(network), start=1):
        assert (report.epoch, report.epochs) == (number, 3)
        assert (report.validation_loss, report.validation_accuracy) == measure(network, validation_batches())
        assert report.seconds > 0
        assert report.images_per_second * report.seconds == by_hand(300)
        assert report.learning_rate == by_hand(0.1 * Cosine()(number * 10 - 1, 30))  # 10 batches an epoch
    assert number == 3


def test_training_measures_are_means_over_images_each_batch_before_its_update() -> None:
    network = small_network()
    [report] = training(network, epochs=1, learning_rate=0.0)  # no update: the network stays what it is
    whole = Batches(*clouds(300, 1), batch_size=300)
    loss, accuracy = measure(network, whole)
    assert_same_function(report.train_loss, loss, terms=300, dtype=np.float32)
    assert report.train_accuracy == accuracy


def test_measuring_weighs_a_shorter_last_batch_by_its_images() -> None:
    network = small_network()
    x, labels = clouds(100, 3)
    whole, accuracy = measure(network, Batches(x, labels, batch_size=100))
    loss, same = measure(network, Batches(x, labels, batch_size=99))
    assert_same_function(loss, whole, terms=100, dtype=np.float32)
    assert same == accuracy


def test_measuring_changes_nothing() -> None:
    network = small_network()
    before = network.vector.value.copy()
    measure(network, validation_batches())
    np.testing.assert_array_equal(network.vector.value, before)


def test_one_seed_gives_the_same_weights_bit_for_bit() -> None:
    first, second = small_network(), small_network()
    reports = [
        [(r.train_loss, r.validation_loss, r.train_accuracy) for r in training(network)] for network in (first, second)
    ]
    np.testing.assert_array_equal(first.vector.value, second.vector.value)
    assert reports[0] == reports[1]


@pytest.mark.parametrize("different", ["weights", "order"])
def test_another_seed_gives_other_weights(different: str) -> None:
    first = small_network()
    second = small_network(seed=1 if different == "weights" else 0)
    list(training(first))
    list(training(second, train=train_batches(seed=1 if different == "order" else 0)))
    assert not np.array_equal(first.vector.value, second.vector.value)


def test_nothing_happens_before_the_first_report_is_requested() -> None:
    network = small_network()
    before = network.vector.value.copy()
    training(network)
    np.testing.assert_array_equal(network.vector.value, before)


def test_no_epochs_make_no_report() -> None:
    assert list(training(small_network(), epochs=0)) == []


def test_training_may_be_stopped_and_continued_after_any_epoch() -> None:
    stopped, whole = small_network(), small_network()
    reports = training(stopped)
    next(reports)
    reports.close()
    next(training(whole))
    np.testing.assert_array_equal(stopped.vector.value, whole.vector.value)
    *_, last = training(stopped, epochs=2)  # and go on
    assert last.epoch == 2


def blas_threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_the_consumer_keeps_its_own_threads_and_warnings_between_epochs() -> None:
    threads, errors = blas_threads(), np.geterr()
    for _ in training(small_network(), threads=1):
        assert blas_threads() == threads
        assert np.geterr() == errors


@pytest.fixture
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.usefixtures("no_warnings")
@pytest.mark.parametrize("learning_rate", [1e4, 1e15, 1e38])
def test_an_absurd_learning_rate_ends_in_an_error_that_names_step_and_layer(learning_rate: float) -> None:
    step, layer = r"step \d+", r"layer \d \((dense|relu)\)"
    where = (
        rf"({step}: the loss is .*the output of {layer} is the first|update of {step}, [Wb] of {layer} is not finite)"
    )
    with pytest.raises(DivergenceError, match=rf"{where}.*learning rate .*smaller"):
        list(training(small_network(), epochs=50, learning_rate=learning_rate, schedule=Constant()))


@pytest.mark.usefixtures("no_warnings")
def test_an_update_that_breaks_the_weights_is_noticed_even_if_it_was_the_last() -> None:
    network = small_network()
    with pytest.raises(DivergenceError, match=r"^after the update of step 0, b of layer 2 \(dense\) is not finite"):
        list(training(network, train=train_batches(count=30), epochs=1, learning_rate=1e39))
    assert not np.isfinite(network.vector.value).all()


class Breaks(Optimizer):
    """Sets one bias to minus infinity: the ReLU above then gives 0, and no loss shows it."""

    kind = "breaks"

    def _update(self, w: Any, *rest: Any) -> None:
        w[2 * 8] = -np.inf


def test_an_infinite_weight_that_no_loss_shows_is_noticed() -> None:
    with pytest.raises(DivergenceError, match=r"^after the update of step 9, b of layer 0 \(dense\) is not finite"):
        list(training(small_network(), optimizer=Breaks(), epochs=1))


def test_while_weights_are_still_finite_the_largest_is_named() -> None:
    network = small_network()
    network.parameters["2.dense.W"].value[...] = 3e38
    with pytest.raises(
        DivergenceError,
        match=r"step 0: .*the output of layer 2 \(dense\) .*largest finite weight 3e\+38 in 2\.dense\.W",
    ):
        list(training(network))


def test_divergence_is_an_error_of_training() -> None:
    assert issubclass(DivergenceError, TrainingError)
