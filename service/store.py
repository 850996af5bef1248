"""The model in memory: one reference, swapped whole."""

from dataclasses import dataclass
from typing import Self

from core.artifact.manifest import WEIGHTS, Manifest
from core.artifact.repository import Repository
from core.errors import NumeralError
from core.predictor import Predictor, load

__all__ = ["Loaded", "NoModelError", "Store"]


class NoModelError(NumeralError):
    """No model is loaded yet."""


@dataclass(frozen=True)
class Loaded:
    """One version, ready to serve. All of it belongs together: read it once, then use nothing else for the answer.

    Attributes:
        predictor: Any number of threads may call it.
        manifest: What is known about the version.
        version: As replies name it, e.g. "3".
        weights_sha256: In hexadecimal.
    """

    predictor: Predictor
    manifest: Manifest
    version: str
    weights_sha256: str

    @classmethod
    def of(cls, predictor: Predictor, manifest: Manifest) -> Self:
        """Put a predictor and its manifest together."""
        return cls(predictor, manifest, str(manifest.version), manifest.files[WEIGHTS].sha256)


class Store:
    """Holds the active model. Many threads read it; one, the watcher's, loads."""

    def __init__(self, repository: Repository) -> None:
        """Start empty.

        Args:
            repository: Where versions come from.
        """
        self._repository = repository
        self._active: Loaded | None = None

    def active(self) -> Loaded | None:
        """The model that serves now. Read it once for a request: the next read may give another version."""
        return self._active

    def required(self) -> Loaded:
        """The same, for those who cannot go on without.

        Raises:
            NoModelError: None is loaded yet.
        """
        active = self._active
        if active is None:
            raise NoModelError(f"no model is loaded yet from {self._repository.url}; the service waits for one")
        return active

    def load(self, version: int) -> Loaded:
        """Read, verify, rebuild and probe a version, then let it serve. Until the last line the old one does.

        Raises:
            ArtifactError: It cannot be served; nothing has changed.
        """
        loaded = Loaded.of(*load(self._repository, version))
        self._active = loaded  # one reference assignment: nobody can see half of it
        return loaded
