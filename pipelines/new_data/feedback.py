"""The pictures that users sent to the service with their digits, as the service stores them."""

from collections.abc import Callable, Iterator
from pathlib import Path

from core.errors import DamagedFeedbackError, FeedbackNotFoundError
from core.feedback import FeedbackFolder
from pipelines.new_data.item import NewItem, SetAside, shown

__all__ = ["read_feedback", "source_of_feedback"]


def source_of_feedback(folder: Path) -> str:
    """What the items of the folder give as their source."""
    return f"feedback {shown(folder)}"


def read_feedback(folder: Path, say: Callable[[str], None]) -> Iterator[NewItem | SetAside]:
    """Every item that can be read, and every one that cannot, in the order of their names.

    Items that contradict each other are all among them: `pipelines.new_data.collected` knows what people have decided
    about them, and what the other sources say. What an administrator of the service has accepted is marked so; if these
    marks cannot be read, none counts.

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
    accepted = _accepted(items, say)
    for name in items.names():
        place = f"{name}.json"
        try:
            found = items.read(name)
        except FeedbackNotFoundError:  # discarded meanwhile
            continue
        except DamagedFeedbackError as error:
            yield SetAside(source, place, str(error).removeprefix(f"{folder / place}: "), name)
            continue
        if found.trouble:
            yield SetAside(source, place, f"{found.trouble}; discard it", name)
        else:
            yield NewItem.of(found.pixels, found.digit, source, place, found.received, accepted=name in accepted)


def _accepted(items: FeedbackFolder, say: Callable[[str], None]) -> frozenset[str]:
    """The names of the items that an administrator of the service has accepted."""
    try:
        return items.accepted()
    except DamagedFeedbackError as error:
        say(f"feedback: what was accepted with the service does not count: {error}")
        return frozenset()
