"""The step that brings new data: from folders to what is trained on in addition, and what is held out."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from core.data.mnist import Mnist
from pipelines.new_data.collected import Collected, collect
from pipelines.new_data.extra import read_extra, source_of
from pipelines.new_data.feedback import read_feedback, source_of_feedback
from pipelines.new_data.framed_files import FramedFiles
from pipelines.new_data.item import NewItem, SetAside
from pipelines.new_data.kept import framed_path, reclaim
from pipelines.new_data.known import KnownPictures
from pipelines.new_data.reviews import Reviews

__all__ = ["folder_in", "gather"]


def folder_in(data_dir: Path) -> Path:
    """Where everything about new data is kept."""
    return data_dir / "new-data"


def gather(
    feedback: Path | None, extra: Sequence[Path], mnist: Mnist, data_dir: Path, say: Callable[[str], None]
) -> Collected:
    """Read all new data. What users sent comes first, so that a picture that is in several places counts as theirs.

    Args:
        feedback: The folder in which the service keeps what users sent, if any.
        extra: Folders of labeled pictures.
        mnist: The data set that they are added to.
        data_dir: Where files that were framed before are kept, and people's decisions.
        say: Receives each message.

    Raises:
        ReviewError: People's decisions cannot be read.
        FeedbackError: The feedback folder cannot be read.
        NewDataError: A folder of new data cannot be read.
    """
    decided = Reviews(data_dir).decisions()
    folders = tuple(dict.fromkeys(extra))
    kept = folder_in(data_dir)
    reclaim(kept)

    def found() -> Iterator[NewItem | SetAside]:
        if feedback:
            yield from read_feedback(feedback, say)
        for folder in folders:
            yield from read_extra(folder, FramedFiles(framed_path(kept, folder)), say)

    sources = [*([source_of_feedback(feedback)] if feedback else []), *map(source_of, folders)]
    return collect(found(), sources, KnownPictures(mnist).copies, decided)
