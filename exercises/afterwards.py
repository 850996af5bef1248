"""What follows a success: the learner's own files, put together to a network that learns; and the finale."""

from collections.abc import Callable
from pathlib import Path

from exercises import assembled, finale

__all__ = ["AFTERWARDS"]

AFTERWARDS: dict[str, Callable[[Path], str]] = {
    "09_minibatches": assembled.dense_network,
    "16_max_pooling": assembled.convolutional_network,
    "17_own_layer": finale.served,
}
"""By exercise: from the learner's file to what is said of the success; may raise `WrongError`."""
