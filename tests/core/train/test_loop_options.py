"""The options of the loop: clipping, the average of the weights, plateaus; and resuming after a stop."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from core.data.batches import Batches
from core.errors import DivergenceError
from core.nn.layer import Parameter
from core.optim.average import ExponentialAverage
from core.optim.clip import gradient_norm
from core.optim.optimizers import OPTIMIZERS, SGD, Momentum, Optimizer
from core.optim.schedules import Cosine, ReduceOnPlateau, Schedule
from core.train.loop import measure
from core.train.report import EpochReport
from tests.core.train.clouds import clouds, small_network, validation_batches
from tests.core.train.clouds import train_on_clouds as training
from tests.floats import assert_same_function, by_hand


class Watching(SGD):
    """Notes how long each gradient is that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.norms: list[float] = []

    def step(self, parameter: Parameter, learning_rate: float) -> None:
        self.norms.append(gradient_norm(parameter))
        super().step(parameter, learning_rate)


# clipping


def test_the_optimizer_is_given_no_gradient_longer_than_the_limit() -> None:
    free, clipped = Watching(), Watching()
    list(training(small_network(), optimizer=free))
    list(training(small_network(), optimizer=clipped, clip_norm=1.0))
    assert max(free.norms) > 2
    assert_same_function(max(clipped.norms), 1.0, terms=64, dtype=np.float32)
    assert min(clipped.norms) < 0.9  # shorter ones are left alone


def test_a_limit_that_no_gradient_reaches_changes_no_bit() -> None:
    free, clipped = small_network(), small_network()
    list(training(free))
    list(training(clipped, clip_norm=1e6))
    np.testing.assert_array_equal(free.vector.value, clipped.vector.value)


# the average


def test_with_an_average_the_network_holds_it_at_each_report_and_at_the_end() -> None:
    plain, averaged, by_hand = small_network(), small_network(), ExponentialAverage(0.9)

    class Averaging(SGD):
        def step(self, parameter: Parameter, learning_rate: float) -> None:
            super().step(parameter, learning_rate)
            by_hand.update(parameter)

    for expected, report in zip(
        training(plain, optimizer=Averaging()), training(averaged, average=ExponentialAverage(0.9)), strict=True
    ):
        assert report.train_loss == expected.train_loss  # the weights themselves take the same way
        assert (report.validation_loss, report.validation_accuracy) == measure(averaged, validation_batches())
        assert not np.array_equal(averaged.vector.value, plain.vector.value)
        by_hand.swap(plain.vector)
        np.testing.assert_array_equal(averaged.vector.value, plain.vector.value)
        by_hand.swap(plain.vector)
    by_hand.swap(plain.vector)
    np.testing.assert_array_equal(averaged.vector.value, plain.vector.value)


def test_an_average_changes_nothing_about_the_weights_that_are_trained() -> None:
    plain, averaged, average = small_network(), small_network(), ExponentialAverage(0.99)
    list(training(plain))
    list(training(averaged, average=average))
    average.swap(averaged.vector)
    np.testing.assert_array_equal(averaged.vector.value, plain.vector.value)


def test_infinite_weights_are_noticed_through_their_average() -> None:
    class Breaks(Optimizer):
        kind = "breaks"

        def _update(self, w: Any, *rest: Any) -> None:
            w[2 * 8] = -np.inf  # a bias, which the ReLU above hides from every loss

    with pytest.raises(DivergenceError, match=r"b of layer 0 \(dense\) is not finite"):
        list(training(small_network(), optimizer=Breaks(), average=ExponentialAverage(0.9)))


# plateaus


def test_the_rate_falls_after_epochs_without_a_better_validation_loss() -> None:
    schedule = ReduceOnPlateau(factor=0.1, patience=1, threshold=0.99)  # from a loss, nothing is 99% better twice
    reports = list(training(small_network(), schedule=schedule, epochs=6))
    assert [r.learning_rate for r in reports] == by_hand([0.1, 0.1, 0.1, 0.01, 0.01, 0.001])


# going on after a stop


@pytest.mark.parametrize("kind", sorted(OPTIMIZERS))
@pytest.mark.parametrize("schedule", [Cosine(warmup=0.2), ReduceOnPlateau(factor=0.3, patience=0, threshold=0.5)])
def test_a_training_that_is_stopped_and_resumed_from_files_ends_with_the_same_bits(
    kind: str,
    schedule: Schedule,
    tmp_path: Path,
) -> None:
    def options(order: np.random.Generator) -> dict[str, Any]:
        return {
            "optimizer": OPTIMIZERS[kind](),
            "average": ExponentialAverage(0.9),
            "train": Batches(*clouds(300, 1), batch_size=32, rng=order),
            "schedule": schedule,
            "learning_rate": 0.01,
            "clip_norm": 0.5,
            "epochs": 5,
        }

    whole = small_network()
    expected = list(training(whole, **options(np.random.default_rng(3))))

    stopped, order = small_network(), np.random.default_rng(3)
    given, history = options(order), []
    for report in training(stopped, **given):
        history.append(report)
        if len(history) == 2:
            break
    save_file(stopped.state(), tmp_path / "network.safetensors")
    for name in ("optimizer", "average"):
        save_file(given[name].state(), tmp_path / f"{name}.safetensors")
    new_order = np.random.default_rng()
    new_order.bit_generator.state = order.bit_generator.state

    resumed, given = small_network(), options(new_order)
    resumed.load_state(load_file(tmp_path / "network.safetensors"))
    for name in ("optimizer", "average"):
        given[name].load_state(load_file(tmp_path / f"{name}.safetensors"))
    history.extend(training(resumed, history=list(history), **given))
    np.testing.assert_array_equal(resumed.vector.value, whole.vector.value)

    def timeless(reports: list[EpochReport]) -> list[EpochReport]:
        return [replace(report, seconds=0, images_per_second=0) for report in reports]

    assert timeless(history) == timeless(expected)


def test_a_training_with_all_epochs_done_makes_no_report() -> None:
    network = small_network()
    history = list(training(network))
    before = network.vector.value.copy()
    assert list(training(network, optimizer=Momentum(), history=history)) == []
    np.testing.assert_array_equal(network.vector.value, before)
