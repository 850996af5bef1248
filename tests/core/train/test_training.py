"""The batches of a training: which labels they may hold depends on the loss."""

from typing import Any

import numpy as np
import pytest

from core.data.labeled import Labeled
from core.data.normalize import Normalizer
from core.digit import NO_DIGIT
from core.errors import DatasetError
from core.nn.losses import Loss, OpenSetCrossEntropy, SoftmaxCrossEntropy
from core.train.training import Training, batches
from core.train.training_plan import TrainingPlan

LAYERS: list[dict[str, Any]] = [{"kind": "dense", "units": 10}]


def labeled(*labels: int) -> Labeled:
    return Labeled(np.zeros((len(labels), 28, 28), np.uint8), np.array(labels, np.uint8))


def made(loss: type[Loss], train: Labeled, validation: Labeled) -> tuple[int, int]:
    plan = TrainingPlan(epochs=1, learning_rate=0.1, loss=loss)
    found = batches(Training.begin(plan, (784,), LAYERS), plan, Normalizer(0.0, 1.0), train, validation)
    return found[0].images, found[1].images


def test_images_of_no_digit_train_with_a_loss_that_knows_them() -> None:
    assert made(OpenSetCrossEntropy, labeled(1, NO_DIGIT), labeled(3)) == (2, 1)


@pytest.mark.parametrize(
    ("loss", "train", "validation"),
    [
        (SoftmaxCrossEntropy, labeled(1, NO_DIGIT), labeled(3)),
        (OpenSetCrossEntropy, labeled(1), labeled(NO_DIGIT)),  # validation always measures the plain cross-entropy
    ],
)
def test_images_of_no_digit_are_refused_where_the_loss_does_not_know_them(
    loss: type[Loss], train: Labeled, validation: Labeled
) -> None:
    with pytest.raises(DatasetError, match="labels: 10 for image [01], expected 0 to 9"):
        made(loss, train, validation)
