"""The pictures that users sent to the service, as training images."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.artifact.origin import FeedbackProvenance
from core.data.labeled import ROW_BYTES, Labeled
from core.data.mnist import Mnist
from core.errors import FeedbackError
from core.feedback import FeedbackFolder, FeedbackItem
from pipelines.references import FileRef


def gather(folder: Path, mnist: Mnist, say: Callable[[str], None]) -> bytes | None:
    """Pack the items of a feedback folder that can be trained on, in the order of their names.

    An item is ignored, with a message, if it is damaged, if another item contradicts it, or if it is a picture of MNIST
    itself: test and validation images must never be trained on, and training images already are.

    Args:
        folder: The folder in which the service keeps them.
        mnist: The data set that they are added to.
        say: Receives each message.

    Returns:
        The items as `Labeled.pack` packs them; None if no item is left.

    Raises:
        FeedbackError: The folder cannot be read.
    """
    items: list[FeedbackItem] = []
    for found in FeedbackFolder(folder).sound():
        if isinstance(found, FeedbackError):
            say(f"feedback ignored: {found}")
        else:
            items.append(found)
    known = _pictures(mnist) if items else frozenset()
    fresh = [item for item in items if item.pixels not in known]
    if copies := len(items) - len(fresh):
        say(f"feedback ignored: {_counted(copies)} of MNIST itself")
    if not fresh:
        say(f"feedback: nothing to train on in {folder}")
        return None
    say(f"feedback: {_counted(len(fresh))} from users added to the training images")
    digits = np.array([item.digit for item in fresh], np.uint8)
    return Labeled(np.stack([item.image() for item in fresh]), digits).pack()


def provenance_of(feedback: FileRef) -> FeedbackProvenance:
    """How many items were packed, and their digest."""
    return FeedbackProvenance(images=len(feedback.read()) // ROW_BYTES, sha256=feedback.sha256)


def _pictures(mnist: Mnist) -> frozenset[bytes]:
    """The bytes of every picture in the data set."""
    return frozenset(image.tobytes() for part in (mnist.train_images, mnist.test_images) for image in part)


def _counted(pictures: int) -> str:
    return f"{pictures:,} picture{'' if pictures == 1 else 's'}"
