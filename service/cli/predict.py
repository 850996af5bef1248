"""`python -m service predict`: the digit in each of several files, read by a server or in this process."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import PictureError
from core.picture_file import read_picture
from core.terminal import printable
from service.settings import Settings
from service.versions import policy
from service.wire import Reading, in_words
from service.wishes import PRETRAINED_NUMBER

if TYPE_CHECKING:
    from core.artifact.repository import Repository

__all__ = ["Oracle", "Outcome", "champion_here", "outcomes", "server_at"]

BAR = 40
"""Characters of the bar for probability 1."""


@dataclass(frozen=True)
class Outcome:
    """The outcome for one file.

    Attributes:
        file: The name of the file, as it was given.
        reading: The answer; None if there is none.
        rejected: Why there is no answer; None if there is one.
        model_version: The version that was asked.
        missing: Whether the file could not be read at all.
    """

    file: str
    reading: Reading | None
    rejected: str | None
    model_version: str
    missing: bool = False

    def row(self) -> dict[str, Any]:
        """The outcome as a JSON object."""
        answer = asdict(self.reading) if self.reading else {}
        found = {key: answer.get(key) for key in ("digit", "confidence", "probabilities")}
        return {"file": self.file, **found, "rejected": self.rejected, "model_version": self.model_version}

    def line(self) -> str:
        """The outcome in words, on one line."""
        file = printable(self.file)
        if self.missing:
            return f"{file}: {self.rejected}"
        if self.reading is None:
            return f"{file}: no digit read: {self.rejected}"
        return f"{file}: {self.reading.digit} ({self.reading.confidence:.1%}, {in_words(self.model_version)})"

    def bars(self) -> list[str]:
        """A bar for each digit, as long as its probability."""
        probabilities = self.reading.probabilities if self.reading else ()
        return [f"  {digit} {'█' * round(p * BAR):{BAR}} {p:6.1%}" for digit, p in enumerate(probabilities)]


@dataclass(frozen=True)
class Oracle:
    """Answers questions about pictures: a server, or a version in this process.

    Attributes:
        ask: Gives the answer to an encoded picture, or raises PictureError.
        version: Gives the version that answers, for pictures that got no answer.
        largest_file: Bytes of the largest file that is read.
    """

    ask: Callable[[bytes], Reading]
    version: Callable[[], str]
    largest_file: int


def champion_here(settings: Settings, say: Callable[[str], None]) -> Oracle:
    """The champion, loaded into this process; or the pretrained version if nothing was published yet.

    Args:
        settings: As `service.settings.read` gives them.
        say: Called with a sentence if the pretrained version is used.

    Raises:
        ArtifactError: There is no version, or it cannot be loaded.
    """
    import numpy as np

    from core.artifact.repository import Repository
    from core.imaging import PictureLimits
    from service.observer import Observer
    from service.recognition.recognize import Recognition, reading
    from service.versions.loader import fetch
    from service.versions.store import Store
    from service.versions.watcher import PUBLISH_COMMAND

    repository = Repository(settings.repository)
    if settings.pretrained and _is_empty(repository):
        loaded = fetch(PRETRAINED_NUMBER, repository, Repository(settings.pretrained))
        finding = f"{settings.repository} holds no version yet: using {loaded.words} that ships with Numeral"
        say(f"{finding}; train your own with: {PUBLISH_COMMAND}")
    else:
        loaded = fetch(repository.champion(), repository)
    limits = PictureLimits(max_bytes=settings.max_picture_bytes)
    recognition = Recognition(Store(repository.url), limits, pool=None, observer=Observer())

    def ask(picture: bytes) -> Reading:
        found = recognition.decode(picture)
        if isinstance(found, PictureError):
            raise found
        return reading(recognition.compute(loaded, found[np.newaxis]))

    return Oracle(ask, lambda: loaded.version, limits.max_bytes)


def _is_empty(repository: "Repository") -> bool:
    """Whether nothing was published yet. A bucket that cannot be reached is an error: its content is not known."""
    if not repository.exists():
        return True
    found = repository.snapshot()
    return policy.pretrained_serves(champion=found.champion, available=found.versions, active=None)


@contextmanager
def server_at(address: str, **options: Any) -> Iterator[Oracle]:
    """A server, for as long as the context lasts; it is reached at the first question.

    Args:
        address: The address of the server.
        **options: The options of `service.client.blocking.Recognizer`.
    """
    from service.client import Recognizer
    from service.client.asking import LARGEST_FILE

    with Recognizer(address, **options) as client:
        yield Oracle(client.recognize, lambda: client.model().version, LARGEST_FILE)


def outcomes(files: Iterable[Path], oracle: Oracle) -> Iterator[Outcome]:
    """Ask about each file in turn.

    Raises:
        ServiceError: The server gave no answer.
    """
    for file in files:
        try:
            reading = oracle.ask(read_picture(file, oracle.largest_file))
        except PictureError as error:
            yield Outcome(str(file), None, str(error), oracle.version())
        except OSError as error:
            reason = f"cannot read the file: {error.strerror or error}"
            yield Outcome(str(file), None, reason, oracle.version(), missing=True)
        else:
            yield Outcome(str(file), reading, None, reading.model_version)
