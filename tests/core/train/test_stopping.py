"""Early stopping: after which epoch training stops, and which weights are kept."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from core.errors import TrainingError
from core.nn.layer import Parameter
from core.nn.sequential import Sequential
from core.optim.average import ExponentialAverage
from core.optim.optimizers import SGD
from core.optim.schedules import Cosine
from core.train.loop import measure
from core.train.report import EpochReport
from core.train.stopping import BestWeights, gave_up
from tests.core.train.clouds import small_network, train_on_clouds, validation_batches
from tests.floats import by_hand


@pytest.mark.parametrize(
    ("losses", "patience", "best"),
    [
        ([], 1, None),
        ([3.0], 1, None),
        ([3.0, 2.0, 1.0], 1, None),
        ([3.0, 2.0, 2.5], 1, 2),
        ([3.0, 2.0, 2.5], 2, None),
        ([3.0, 2.0, 2.5, 2.2], 2, 2),
        ([3.0, 2.0, 2.0], 1, 2),  # an equal loss is no improvement
        ([3.0, 2.0, 2.5, 1.9], 2, None),
        ([1.0, 2.0, 3.0], 0, None),
    ],
)
def test_training_stops_after_so_many_epochs_without_a_lower_loss(
    losses: list[float], patience: int, best: int | None
) -> None:
    why = gave_up(losses, patience)
    if best is None:
        assert why is None
    else:
        assert why == f"no lower validation loss in {patience} epoch{'s' * (patience > 1)} than after epoch {best}"


class Worsens(SGD):
    """Learns until step 30, which is three epochs, and unlearns from then on."""

    def step(self, parameter: Parameter, learning_rate: float) -> None:
        super().step(parameter, learning_rate if self.steps < 30 else -learning_rate)


def training(network: Sequential, **changes: Any) -> Iterator[EpochReport]:
    return train_on_clouds(network, **{"optimizer": Worsens(), "epochs": 10} | changes)


def test_the_last_report_says_why_there_are_no_more() -> None:
    reports = list(training(small_network(), patience=2))
    assert [report.stopped for report in reports[:-1]] == [None] * 4
    assert reports[-1].epoch == 5
    assert reports[-1].stopped == "no lower validation loss in 2 epochs than after epoch 3"


def test_a_training_with_all_planned_epochs_was_not_stopped_early() -> None:
    assert list(training(small_network(), patience=2, epochs=5))[-1].stopped is None


def test_the_schedule_covers_the_planned_epochs_even_if_stopped_early() -> None:
    *_, last = training(small_network(), patience=2, schedule=Cosine())
    assert last.learning_rate == by_hand(0.1 * Cosine()(last.epoch * 10 - 1, 100))


@pytest.mark.parametrize("average", [None, 0.5])
def test_the_best_epochs_weights_are_given_back_at_the_end(average: float | None) -> None:
    network, best = small_network(), BestWeights()
    after: list[np.ndarray] = []
    reports: list[EpochReport] = []
    for report in training(
        network, best=best, epochs=6, average=None if average is None else ExponentialAverage(average)
    ):
        reports.append(report)
        after.append(network.vector.value.copy())  # during training, it goes on from the last weights
    losses = [report.validation_loss for report in reports]
    assert best.loss == min(losses) < losses[-1]
    assert best.epoch == losses.index(min(losses)) + 1
    np.testing.assert_array_equal(network.vector.value, after[best.epoch - 1])
    assert measure(network, validation_batches())[0] == best.loss


def test_keeping_the_best_weights_does_not_change_the_training() -> None:
    plain = [report.train_loss for report in training(small_network())]
    assert [report.train_loss for report in training(small_network(), best=BestWeights())] == plain


def test_a_training_that_was_stopped_early_stays_stopped_when_resumed() -> None:
    network, best = small_network(), BestWeights()
    history = list(training(network, patience=2, best=best))
    kept = network.vector.value.copy()
    network.vector.value[:] = 0
    assert list(training(network, patience=2, best=best, history=history)) == []
    np.testing.assert_array_equal(network.vector.value, kept)


def test_the_best_weights_are_resumed_from_their_state() -> None:
    network, other = small_network(), small_network(1)
    best, again = BestWeights(), BestWeights()
    best.offer(network, 4, 0.5)
    again.load_state(best.state())
    again.offer(other, 5, 0.6)
    again.restore(other)
    assert (again.epoch, again.loss) == (4, 0.5)
    np.testing.assert_array_equal(other.vector.value, network.vector.value)
    again.load_state(BestWeights().state())
    again.offer(other, 1, 9.0)
    assert again.epoch == 1


@pytest.mark.parametrize("change", [{"epoch": None}, {"surplus": np.zeros(1)}, {"epoch": np.array(0)}])
def test_the_state_of_something_else_is_refused(change: dict[str, Any]) -> None:
    best = BestWeights()
    best.offer(small_network(), 1, 0.5)
    state = {name: array for name, array in (best.state() | change).items() if array is not None}
    with pytest.raises(TrainingError, match="best weights: a state of "):
        best.load_state(state)
