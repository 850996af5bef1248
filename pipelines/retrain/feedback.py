"""What users sent to the service, as training images."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.artifact.manifest import FeedbackProvenance
from core.data.labeled import ROW_BYTES, Labeled
from core.data.mnist import Mnist
from core.errors import FeedbackError
from core.feedback import FeedbackFolder, FeedbackItem
from pipelines.references import FileRef


def gather(folder: Path, mnist: Mnist, say: Callable[[str], None]) -> bytes | None:
    """The items in a folder that can be learned from, packed in the order of their names.

    Each item that cannot be is named and passed over: a damaged one, one that another contradicts, and a picture of the
    data set itself. Of those, the test and validation images must never be trained on, and the training images are.

    Args:
        folder: Where the service keeps them.
        mnist: The data set that they are added to.
        say: Takes a sentence.

    Returns:
        As `Labeled.pack` has them; None if there is none.

    Raises:
        FeedbackError: The folder cannot be read.
    """
    items: list[FeedbackItem] = []
    for found in FeedbackFolder(folder).sound():
        if isinstance(found, FeedbackError):
            say(f"feedback passed over: {found}")
        else:
            items.append(found)
    known = _pictures(mnist) if items else frozenset()
    fresh = [item for item in items if item.pixels not in known]
    if copies := len(items) - len(fresh):
        say(f"feedback passed over: {copies:,} that are pictures of MNIST itself")
    if not fresh:
        say(f"feedback: nothing to learn from in {folder}")
        return None
    say(f"feedback: {len(fresh):,} of users' pictures are trained on too")
    digits = np.array([item.digit for item in fresh], np.uint8)
    return Labeled(np.stack([item.image() for item in fresh]), digits).pack()


def provenance_of(feedback: FileRef) -> FeedbackProvenance:
    """How many there are, and their digest."""
    return FeedbackProvenance(images=len(feedback.read()) // ROW_BYTES, sha256=feedback.sha256)


def _pictures(mnist: Mnist) -> frozenset[bytes]:
    """Every picture of the data set."""
    return frozenset(image.tobytes() for part in (mnist.train_images, mnist.test_images) for image in part)
