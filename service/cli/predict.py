"""`python -m service predict`: the digits in files, one or all of each, read by a server or in this process."""

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
from service.wire import Found, Reading, in_words
from service.wishes import PRETRAINED_NUMBER

if TYPE_CHECKING:
    from service.versions.storage import Storage

__all__ = ["Oracle", "Outcome", "champion_here", "outcomes", "server_at"]

BAR = 40
"""Characters of the bar for probability 1."""


@dataclass(frozen=True)
class Outcome:
    """The outcome for one file.

    Attributes:
        file: The name of the file, as it was given.
        reading: The answer; None if there is none, or if all digits were asked for.
        rejected: Why no digit was read; None if one was.
        model_version: The version that was asked.
        missing: Whether the file could not be read at all.
        found: The digits in the picture, if all of them were asked for; None if one was.
    """

    file: str
    reading: Reading | None
    rejected: str | None
    model_version: str
    missing: bool = False
    found: tuple[Found, ...] | None = None

    def row(self) -> dict[str, Any]:
        """The outcome as a JSON object."""
        if self.found is None:
            answer = _row(self.reading)
        else:
            answer = {"digits": [_row(each.reading) | {"box": list(each.box)} for each in self.found]}
        return {"file": self.file, **answer, "rejected": self.rejected, "model_version": self.model_version}

    def line(self) -> str:
        """The outcome in words, on one line."""
        file = printable(self.file)
        if self.missing:
            return f"{file}: {self.rejected}"
        if self.rejected:
            return f"{file}: no digit read: {self.rejected}"
        if self.found:
            read = "".join(str(each.reading.digit) if not each.reading.rejected else "?" for each in self.found)
            return f"{file}: {read} ({len(read)} found, {in_words(self.model_version)})"
        assert self.reading is not None  # noqa: S101 — it is not rejected, and there is no list
        return f"{file}: {self.reading.digit} ({self.reading.confidence:.1%}, {in_words(self.model_version)})"

    def bars(self) -> list[str]:
        """A bar for each digit, as long as its probability; or of several digits, the place of each."""
        if self.found:
            return [_place(each) for each in self.found]
        probabilities = self.reading.probabilities if self.reading else ()
        return [f"  {digit} {'█' * round(p * BAR):{BAR}} {p:6.1%}" for digit, p in enumerate(probabilities)]


def _row(reading: Reading | None) -> dict[str, Any]:
    """An answer as a part of a JSON object; its digit and the confidence in it are null if it is rejected."""
    keys = ("digit", "confidence", "probabilities", "digitness", "rejected")
    row = asdict(reading) if reading else {}
    row |= {"digit": None, "confidence": None} if row.get("rejected") else {}
    return {key: row.get(key) or None if key == "rejected" else row.get(key) for key in keys}


def _place(found: Found) -> str:
    """One of several digits in words."""
    left, top, right, bottom = found.box
    reading = found.reading
    what = f"? {reading.rejected}" if reading.rejected else f"{reading.digit} {reading.confidence:6.1%}"
    return f"  x {left} to {right}, y {top} to {bottom}: {what}"


@dataclass(frozen=True)
class Oracle:
    """Answers questions about pictures: a server, or a version in this process.

    Attributes:
        ask: Gives the answer to an encoded picture, or raises PictureError.
        ask_many: Gives the answers to all digits in it, likewise.
        version: Gives the version that answers, for pictures that got no answer.
        largest_file: Bytes of the largest file that is read.
    """

    ask: Callable[[bytes], Reading]
    ask_many: Callable[[bytes], list[Found]]
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
    from service.recognition.answer import reading
    from service.recognition.recognize import Recognition
    from service.recognition.workers import Workers
    from service.versions.loader import fetch
    from service.versions.next_steps import PUBLISH_COMMAND
    from service.versions.storage import Storage
    from service.versions.store import Store

    repository = Storage(Repository(settings.repository), seconds=settings.storage_seconds)
    if settings.pretrained and _is_empty(repository):
        loaded = fetch(PRETRAINED_NUMBER, repository, Storage(Repository(settings.pretrained)))
        finding = f"{settings.repository} holds no version yet: using {loaded.words} that ships with Numeral"
        say(f"{finding}; train your own with: {PUBLISH_COMMAND}")
    else:
        loaded = fetch(repository.champion(), repository)
    limits = PictureLimits(max_bytes=settings.max_picture_bytes)
    recognition = Recognition(Store(repository.url), limits, Workers(1), Observer())

    def ask(picture: bytes) -> Reading:
        found = recognition.decode(picture, loaded)
        if isinstance(found, PictureError):
            raise found
        return reading(recognition.compute(loaded, found[np.newaxis]))

    def ask_many(picture: bytes) -> list[Found]:
        many = recognition.find_many(picture, loaded)
        if isinstance(many, PictureError):
            raise many
        return many.found()

    return Oracle(ask, ask_many, lambda: loaded.version, limits.max_bytes)


def _is_empty(repository: "Storage") -> bool:
    """Whether nothing was published yet. A bucket that cannot be reached is an error: its content is not known."""
    found = repository.snapshot()
    return found is None or policy.pretrained_serves(champion=found.champion, available=found.versions, active=None)


@contextmanager
def server_at(address: str, **options: Any) -> Iterator[Oracle]:
    """A server, for as long as the context lasts; it is reached at the first question.

    Args:
        address: The address of the server.
        **options: The options of `service.client.blocking.Recognizer`.
    """
    from service.client import Recognizer
    from service.client.pictures import LARGEST_FILE

    with Recognizer(address, **options) as client:
        yield Oracle(client.recognize, client.recognize_many, lambda: client.model().version, LARGEST_FILE)


def outcomes(files: Iterable[Path], oracle: Oracle, *, many: bool = False) -> Iterator[Outcome]:
    """Ask about each file in turn.

    Args:
        files: Their names.
        oracle: Answers.
        many: Whether to ask for all digits in each file.

    Raises:
        ServiceError: The server gave no answer.
    """
    for file in files:
        try:
            yield _asked(str(file), read_picture(file, oracle.largest_file), oracle, many=many)
        except PictureError as error:
            yield Outcome(str(file), None, str(error), oracle.version(), found=() if many else None)
        except OSError as error:
            reason = f"cannot read the file: {error.strerror or error}"
            yield Outcome(str(file), None, reason, oracle.version(), missing=True, found=() if many else None)


def _asked(file: str, picture: bytes, oracle: Oracle, *, many: bool) -> Outcome:
    """The outcome for a picture that could be read from its file."""
    if not many:
        reading = oracle.ask(picture)
        return Outcome(file, reading, reading.rejected or None, reading.model_version)
    found = tuple(oracle.ask_many(picture))
    if not found:
        return Outcome(file, None, "no digit found in the picture", oracle.version(), found=())
    refused = None if any(not each.reading.rejected for each in found) else found[0].reading.rejected
    return Outcome(file, None, refused, found[0].reading.model_version, found=found)
