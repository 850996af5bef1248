"""One version in memory, ready to serve."""

import logging
import weakref
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.artifact.manifest import WEIGHTS, Manifest
from core.digit import BLANK
from core.errors import NoDigitError
from core.imaging import framing_version, to_digit
from core.inference.predict import Predictor
from service.wire import PRETRAINED, in_words
from service.wishes import PRETRAINED_NUMBER

__all__ = ["WARM_BATCHES", "Loaded", "label"]

_log = logging.getLogger(__name__)


WARM_BATCHES = (1, 64)
"""Batch sizes that a version computes before it serves: the first pass of each pays for scratch arrays and for BLAS."""


def label(number: int) -> str:
    """The name that replies give to the version with this number."""
    return PRETRAINED if number == PRETRAINED_NUMBER else str(number)


@dataclass(frozen=True)
class Loaded:
    """One version, ready to serve. Its parts belong together: a call takes it once, and uses no other for its answer.

    Attributes:
        predictor: Computes; any number of threads may call it.
        manifest: Describes the version.
        number: Its number in the repository; `PRETRAINED_NUMBER` for the pretrained version, which comes from another.
        version: Its name in replies, e.g. "3", or "pretrained".
        weights_sha256: The digest of its weights file, in hexadecimal.
        framing: The version of the framing that it was published with: encoded pictures are framed so for it.
    """

    predictor: Predictor
    manifest: Manifest
    number: int
    version: str
    weights_sha256: str
    framing: int

    @classmethod
    def of(cls, number: int, predictor: Predictor, manifest: Manifest) -> Self:
        """The version that a predictor and its manifest make; when it is freed, the log says so.

        Raises:
            ManifestError: It frames pictures in a way that this release does not know.
        """
        framing = framing_version(manifest.preprocessing.framing)
        loaded = cls(predictor, manifest, number, label(number), manifest.files[WEIGHTS].sha256, framing)
        freed = weakref.finalize(loaded, _log.debug, "%s is freed: its last call has ended", loaded.words)
        freed.atexit = False
        return loaded

    @property
    def words(self) -> str:
        """Its name in a sentence, e.g. "version 3"."""
        return in_words(self.version)

    def framed(self, picture: Image.Image) -> NDArray[np.uint8] | NoDigitError:
        """The digit in an upright picture as this version needs it, (28, 28); or why there is none."""
        try:
            return to_digit(picture, self.framing)
        except NoDigitError as error:
            return error

    def warm(self) -> None:
        """Compute a batch of each common size, so that the first calls find scratch arrays and BLAS ready."""
        for size in WARM_BATCHES:
            self.predictor.answers(np.stack([BLANK] * size))
