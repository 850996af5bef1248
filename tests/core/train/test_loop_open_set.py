"""Training with images of no class among the others, as points between the three clouds."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from core.data.batches import Batches
from core.errors import ConfigError, DivergenceError
from core.nn.losses import OpenSetCrossEntropy
from core.nn.sequential import Sequential
from core.optim.optimizers import Adam
from core.train.loop import measure
from core.train.report import EpochReport
from tests.core.train.clouds import CENTERS, clouds, small_network, train_on_clouds, validation_batches

NONE = len(CENTERS)


def points(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The clouds, and as many points around the middle, which belong to none of them."""
    x, labels = clouds(count, seed)
    middle = 0.5 * np.random.default_rng(seed).standard_normal((count, 2))
    return np.concatenate([x, middle.astype(np.float32)]), np.concatenate([labels, np.full(count, NONE, np.uint8)])


def training(network: Sequential, **changes: Any) -> Iterator[EpochReport]:
    train = Batches(*points(300, 1), batch_size=32, rng=np.random.default_rng(0))
    options = {"train": train, "loss": OpenSetCrossEntropy, "optimizer": Adam(), "learning_rate": 0.03}
    return train_on_clouds(network, **options | changes)


@pytest.mark.parametrize("shards", [1, 2])
def test_a_network_learns_which_points_belong_to_no_cloud(shards: int) -> None:
    network = small_network()
    *_, last = training(network, epochs=15, shards=shards)
    assert last.train_accuracy > 0.98
    x, labels = points(90, 2)
    assert np.mean(OpenSetCrossEntropy().predicted(network.forward(x)) == labels) > 0.98


def test_validation_measures_the_classes_alone_by_the_plain_cross_entropy() -> None:
    network = small_network()
    for report in training(network):
        assert (report.validation_loss, report.validation_accuracy) == measure(network, validation_batches())


def test_diagnostics_are_taken_of_batches_with_images_of_no_class_and_change_no_bit() -> None:
    plain, diagnosed = small_network(), small_network()
    list(training(plain))
    reports = list(training(diagnosed, diagnose_every=10))
    assert all(len(report.diagnostics) > 0 for report in reports)
    np.testing.assert_array_equal(diagnosed.vector.value, plain.vector.value)


def test_a_divergence_among_images_of_no_class_is_reported_as_any_other() -> None:
    x, labels = points(96, 1)
    train = Batches(x, labels, batch_size=32)
    x[100, 0] = np.inf  # of the second half, which belongs to no cloud; afterwards, as `Batches` refuses it
    with pytest.raises(DivergenceError, match=r"step 3: the loss is nan, and the input itself is not finite"):
        list(training(small_network(), train=train))


def test_a_loss_that_knows_no_such_label_ends_the_training_with_the_name_of_the_one_that_does() -> None:
    with pytest.raises(ConfigError, match=f"label {NONE} for {NONE} classes.*open_set_cross_entropy"):
        list(train_on_clouds(small_network(), train=Batches(*points(30, 1), batch_size=32)))
