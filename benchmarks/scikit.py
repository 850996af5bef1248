"""scikit-learn's side: `MLPClassifier`, which has no method for a single step, only for a pass over given images."""

from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from benchmarks.cases import CORES, TrainingCase
from benchmarks.contender import Contender
from benchmarks.digits import batches, training_digits

PASS = 12_800
"""Images in one call of `partial_fit`: 100 batches of 128, so that its overhead per call is negligible. Its work per
image, such as checks and one-hot labels, is part of its training and is measured."""


class ScikitTraining(Contender):
    """A step: one `partial_fit`, which shuffles the given images and makes one pass over them in batches."""

    def __init__(self, case: TrainingCase, *, threads: int = CORES) -> None:
        self.case = case
        threadpool_limits(threads, user_api="blas")
        self.images, self.labels = training_digits()

    def begin(self) -> None:
        """Initial weights, the first images."""
        self.classifier = self._classifier(np.float32, shuffle=True)
        starts = range(0, len(self.images) - PASS + 1, PASS)
        self.passes = cycle([slice(start, start + PASS) for start in starts])

    def step(self) -> int:
        """One pass; returns the number of its images."""
        images = next(self.passes)
        self.classifier.partial_fit(self.images[images], self.labels[images])
        return PASS

    def evidence(self) -> NDArray[np.floating[Any]]:
        """The losses of the first 3 batches, each measured before its update."""
        classifier, rows = self._classifier(np.float64, shuffle=False), batches(len(self.images), self.case.batch_size)
        losses = []
        for _ in range(3):
            batch = next(rows)
            classifier.partial_fit(self.images[batch].astype(np.float64), self.labels[batch])
            losses.append(classifier.loss_)
        return np.array(losses)

    def _classifier(self, dtype: DTypeLike, *, shuffle: bool) -> Any:
        """Plain SGD without momentum or penalty. A first batch allocates the arrays for the initial weights."""
        dense = [layer for layer in self.case.network(dtype).layers if layer.kind == "dense"]
        initial = [layer.parameters[name].value for name in "Wb" for layer in dense]
        classifier = MLPClassifier(
            dense[0].output_shape,
            solver="sgd",
            momentum=0,
            nesterovs_momentum=False,
            alpha=0,
            batch_size=self.case.batch_size,
            learning_rate_init=self.case.learning_rate,
            shuffle=shuffle,
            random_state=0,
        )
        few = slice(self.case.batch_size)
        classifier.partial_fit(self.images[few].astype(dtype), self.labels[few], classes=np.arange(10))
        for array, values in zip((*classifier.coefs_, *classifier.intercepts_), initial, strict=True):
            array[...] = values
        return classifier
