"""The pictures that users sent to the service with their digits, as the service stores them."""

from collections.abc import Callable, Iterator
from pathlib import Path

from core.errors import DamagedFeedbackError
from core.feedback import FeedbackFolder
from pipelines.new_data.item import NewItem, SetAside, shown

__all__ = ["read_feedback", "source_of_feedback"]


def source_of_feedback(folder: Path) -> str:
    """What the items of the folder give as their source."""
    return f"feedback {shown(folder)}"


def read_feedback(folder: Path, say: Callable[[str], None]) -> Iterator[NewItem | SetAside]:
    """Every item that can be learned from, and every one that cannot, in the order of their names.

    Args:
        folder: The folder in which the service keeps them. If there is none, nothing was sent yet.
        say: Receives each message.

    Raises:
        FeedbackError: The folder cannot be read.
    """
    source, items = source_of_feedback(folder), FeedbackFolder(folder)
    try:
        folder.stat()
    except FileNotFoundError:
        say(f"feedback: there is no folder {shown(folder)} yet, so nothing was sent")
        return
    except OSError:
        pass  # listing it fails for the same reason, with a message
    for name, found in items.examined():
        place = f"{name}.json"
        if isinstance(found, DamagedFeedbackError):
            yield SetAside(source, place, str(found).removeprefix(f"{folder / place}: "))
        else:
            yield NewItem.of(found.pixels, found.digit, source, place)
