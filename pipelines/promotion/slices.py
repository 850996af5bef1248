"""Pictures beside the validation images, on which versions are compared: a slice of what people send."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.artifact.manifest import Slice
from core.data.labeled import Labeled
from core.drawing import samples
from core.imaging import LATEST
from pipelines import provenance
from pipelines.references import FileRef
from pipelines.sections import HELD_OUT_SEED

DRAWN = "drawn digits"

_DRAWN_COUNT = 500
"""About two seconds of drawing, once for a data folder. Of 500, a share near 90% is known to within three points."""

_DRAWN_SEED = HELD_OUT_SEED + 2
"""Others than those that the rejection is fitted and measured on: see `pipelines.retrain.styles.held_out`."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Labeled pictures.

    Attributes:
        name: Of the slice.
        labels: uint8 (N,), the digits that they show.
        framed: Gives them in a framing, uint8 (N, 28, 28); a picture that shows no digit in it is blank.
    """

    name: str
    labels: NDArray[np.uint8]
    framed: Callable[[int], NDArray[np.uint8]]

    def described(self, right: NDArray[np.bool_]) -> Slice:
        """As a verdict records them, with what a version read correctly: bool (N,)."""
        packed = Labeled(self.framed(LATEST), self.labels).pack()
        return Slice(
            name=self.name,
            images=len(right),
            accuracy=float(right.mean()),
            sha256=hashlib.sha256(packed).hexdigest(),
        )


def drawn(folder: Path) -> Pictures:
    """Digits drawn by code in writing styles that MNIST lacks. No version has trained on them: their seed is reserved.

    Args:
        folder: Where they are kept once they are drawn.
    """
    path = folder / f"drawn-{provenance.drawing_digest()[:16]}"
    note = path.with_suffix(".json")
    reference = FileRef.recall(note)
    if reference is None or not reference.holds():
        reference = FileRef.store(path, samples.digits(_DRAWN_COUNT, _DRAWN_SEED).pack())
        FileRef.store(note, reference.model_dump_json().encode())  # last: the next run may now rely on the images
    images = Labeled.unpack(reference.read())
    return Pictures(DRAWN, images.labels, lambda framing: images.images)  # noqa: ARG005 — they are framed already
