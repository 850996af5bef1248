"""One version in memory, ready to serve."""

import logging
import weakref
from dataclasses import dataclass
from typing import Self

import numpy as np

from core.artifact.manifest import WEIGHTS, Manifest
from core.inference.predict import Predictor
from service.wire import PRETRAINED, in_words
from service.wishes import PRETRAINED_NUMBER

_log = logging.getLogger(__name__)


WARM_BATCHES = (1, 64)
"""What a version computes before it serves: the first call of each kind pays for scratch arrays and BLAS start-up."""


def label(number: int) -> str:
    """How replies name the version of a number."""
    return PRETRAINED if number == PRETRAINED_NUMBER else str(number)


@dataclass(frozen=True)
class Loaded:
    """One version, ready to serve. All of it belongs together: read it once, then use nothing else for the answer.

    Attributes:
        predictor: Any number of threads may call it.
        manifest: What is known about the version.
        number: Its number in the repository; `PRETRAINED_NUMBER` for the pretrained version, which is not from there.
        version: As replies name it, e.g. "3", or "pretrained".
        weights_sha256: In hexadecimal.
    """

    predictor: Predictor
    manifest: Manifest
    number: int
    version: str
    weights_sha256: str

    @classmethod
    def of(cls, number: int, predictor: Predictor, manifest: Manifest) -> Self:
        """Put a predictor and its manifest together."""
        loaded = cls(predictor, manifest, number, label(number), manifest.files[WEIGHTS].sha256)
        freed = weakref.finalize(loaded, _log.debug, "%s is freed: its last call has ended", loaded.words)
        freed.atexit = False
        return loaded

    @property
    def words(self) -> str:
        """Its name in a sentence, e.g. "version 3"."""
        return in_words(self.version)

    def warm(self) -> None:
        """Compute once what will be computed often, in the thread that asks: each has its own scratch arrays."""
        for size in WARM_BATCHES:
            self.predictor.probabilities(np.zeros((size, 28, 28), np.uint8))
