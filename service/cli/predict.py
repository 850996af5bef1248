"""Files in, one outcome each: the work behind `python -m service predict`."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import PictureError
from service.settings import Settings
from service.versions import policy
from service.wire import Reading, in_words
from service.wishes import PRETRAINED_NUMBER

if TYPE_CHECKING:
    from core.artifact.repository import Repository

__all__ = ["Oracle", "Outcome", "champion_here", "outcomes", "server_at"]

BAR = 40
"""Characters of a bar that stands for probability 1."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes:
        file: As it was named.
        reading: The answer; None where there is none.
        rejected: Why there is none; None where there is one.
        model_version: The version that was asked.
        missing: Whether not even the file's bytes could be had.
    """

    file: str
    reading: Reading | None
    rejected: str | None
    model_version: str
    missing: bool = False

    def row(self) -> dict[str, Any]:
        """The outcome as JSON has it."""
        answer = asdict(self.reading) if self.reading else {}
        found = {key: answer.get(key) for key in ("digit", "confidence", "probabilities")}
        return {"file": self.file, **found, "rejected": self.rejected, "model_version": self.model_version}

    def line(self) -> str:
        """The outcome in words."""
        if self.reading is None:
            return f"{self.file}: no digit read: {self.rejected}"
        return f"{self.file}: {self.reading.digit} ({self.reading.confidence:.1%}, {in_words(self.model_version)})"

    def bars(self) -> list[str]:
        """One line for each digit, as long as the digit is probable."""
        probabilities = self.reading.probabilities if self.reading else ()
        return [f"  {digit} {'█' * round(p * BAR):{BAR}} {p:6.1%}" for digit, p in enumerate(probabilities)]


@dataclass(frozen=True)
class Oracle:
    """What is asked about pictures.

    Attributes:
        ask: Gives the answer to an encoded picture, or raises PictureError.
        version: Tells which version answers, where there was no answer that says it.
    """

    ask: Callable[[bytes], Reading]
    version: Callable[[], str]


def champion_here(settings: Settings, say: Callable[[str], None]) -> Oracle:
    """The champion, loaded into this process; the pretrained version where nothing was published yet.

    Args:
        settings: As `service.settings.read` gives them.
        say: Takes the sentence that tells of a pretrained version.

    Raises:
        ArtifactError: There is none, or it cannot be loaded.
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

    return Oracle(ask, lambda: loaded.version)


def _is_empty(repository: "Repository") -> bool:
    """Whether nothing was published yet. A bucket that cannot be reached is an error: nobody knows what it holds."""
    if not repository.exists():
        return True
    found = repository.snapshot()
    return policy.pretrained_serves(champion=found.champion, available=found.versions, active=None)


@contextmanager
def server_at(address: str, **options: Any) -> Iterator[Oracle]:
    """A server, for as long as the context lasts; it is reached at the first question.

    Args:
        address: Where it is.
        **options: Those of `service.client.blocking.Recognizer`.
    """
    from service.client import Recognizer

    with Recognizer(address, **options) as client:
        yield Oracle(client.recognize, lambda: client.model().version)


def outcomes(files: Iterable[Path], oracle: Oracle) -> Iterator[Outcome]:
    """Ask about each file in turn.

    Raises:
        ServiceError: The server gave no answer.
    """
    for file in files:
        try:
            reading = oracle.ask(file.read_bytes())
        except PictureError as error:
            yield Outcome(str(file), None, str(error), oracle.version())
        except OSError as error:
            reason = f"cannot be read: {error.strerror or error}"
            yield Outcome(str(file), None, reason, oracle.version(), missing=True)
        else:
            yield Outcome(str(file), reading, None, reading.model_version)
