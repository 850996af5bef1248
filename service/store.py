"""The model in memory: one reference, swapped whole."""

from dataclasses import dataclass
from typing import Self

from core.artifact.manifest import WEIGHTS, Manifest
from core.artifact.repository import CHAMPION, Repository
from core.errors import NumeralError
from core.predictor import Predictor, load
from service import policy
from service.reading import PRETRAINED, in_words

__all__ = ["Loaded", "NoModelError", "Store", "UnknownVersionError"]


class NoModelError(NumeralError):
    """No model is loaded yet."""


class UnknownVersionError(NumeralError):
    """A call wants a version that is not there."""


@dataclass(frozen=True)
class Loaded:
    """One version, ready to serve. All of it belongs together: read it once, then use nothing else for the answer.

    Attributes:
        predictor: Any number of threads may call it.
        manifest: What is known about the version.
        number: Its number in the repository; `policy.PRETRAINED` for the pretrained version, which is not from there.
        version: As replies name it, e.g. "3", or "pretrained".
        weights_sha256: In hexadecimal.
    """

    predictor: Predictor
    manifest: Manifest
    number: int
    version: str
    weights_sha256: str

    @classmethod
    def of(cls, number: int, predictor: Predictor, manifest: Manifest) -> Self:
        """Put a predictor and its manifest together."""
        return cls(predictor, manifest, number, label(number), manifest.files[WEIGHTS].sha256)

    @property
    def words(self) -> str:
        """Its name in a sentence, e.g. "version 3"."""
        return in_words(self.version)


def label(number: int) -> str:
    """How replies name the version of a number."""
    return PRETRAINED if number == policy.PRETRAINED else str(number)


class Store:
    """Holds the active model. Many threads read it; one, the watcher's, loads."""

    def __init__(self, repository: Repository, pretrained: str | None = None) -> None:
        """Start empty.

        Args:
            repository: Where versions come from.
            pretrained: URL of the repository whose champion may serve until `repository` holds one; None for none.
        """
        self._repository = repository
        self._pretrained = Repository(pretrained) if pretrained else None
        self._active: Loaded | None = None

    def active(self) -> Loaded | None:
        """The model that serves now. Read it once for a request: the next read may give another version."""
        return self._active

    def choose(self, wanted: str = "") -> Loaded:
        """The version that answers a call. Take it once for a call; the next time it may be another.

        Args:
            wanted: A version ("3"), an alias ("champion"), or "" for the one that the policy gives.

        Raises:
            NoModelError: None is loaded yet.
            UnknownVersionError: There is no such version.
        """
        active = self._active
        if active is None:
            raise NoModelError(f"no model is loaded yet from {self._repository.url}; the service waits for one")
        if wanted not in ("", CHAMPION, active.version):
            raise UnknownVersionError(f"no version {wanted!r} is served; it is {active.version}")
        return active

    @property
    def has_pretrained(self) -> bool:
        """Whether `policy.PRETRAINED` may be loaded."""
        return self._pretrained is not None

    def load(self, number: int) -> Loaded:
        """Read, verify, rebuild and probe a version, then let it serve. Until the last line the old one does.

        Args:
            number: One of the repository's, or `policy.PRETRAINED`.

        Raises:
            ArtifactError: It cannot be served; nothing has changed.
        """
        if number == policy.PRETRAINED and self._pretrained:
            loaded = Loaded.of(number, *load(self._pretrained, self._pretrained.champion()))
        else:
            loaded = Loaded.of(number, *load(self._repository, number))
        self._active = loaded  # one reference assignment: nobody can see half of it
        return loaded
