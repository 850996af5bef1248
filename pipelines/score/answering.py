"""What a worker does: a part → the rows that a version gives for it."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version as release_of
from time import perf_counter

import numpy as np

from core.artifact.manifest import WEIGHTS
from core.artifact.repository import Repository
from core.errors import ConfigError, DamagedVersionError
from core.inference.predict import Predictor, load
from pipelines.provenance import digest_of_sources
from pipelines.score.fragment import Format, Fragment, Row, Tally
from pipelines.score.part import Part
from pipelines.score.pixels import Refusal, Seen, pixels_of

__all__ = ["Asked", "answer", "reader"]

_DECIDING = (
    *("core/artifact", "core/data", "core/digit.py", "core/imaging", "core/inference", "core/kernels", "core/nn"),
    *("core/registry.py", "core/regular_file.py", "pipelines/new_data/parquet.py", "pipelines/score"),
)
"""The code that decides a part's rows."""


@dataclass(frozen=True)
class Asked:
    """What is asked of each part.

    Attributes:
        repository: Its URL.
        version: The version that reads.
        weights_sha256: The digest of its weights.
        framing: The framing that it was published with.
        format: Of the rows.
        reader: The code and the libraries that read, see `reader`.
    """

    repository: str
    version: int
    weights_sha256: str
    framing: int
    format: Format
    reader: str

    def answer(self, part: Part) -> Fragment:
        """Read a part. A method, so that a worker is sent both at once; see `answer`."""
        return answer(self, part)


def answer(asked: Asked, part: Part) -> Fragment:
    """The rows of a part, in order.

    Raises:
        InputChangedError: One of its files is no longer the one that was found at the beginning.
        ConfigError: This worker has other code, or other libraries, than the one that asks.
        ArtifactError: The version cannot be read, or is no longer the one that is asked for.
        OSError: The storage has failed.
    """
    began = perf_counter()
    predictor = _predictor(asked.repository, asked.version, asked.weights_sha256, asked.reader)
    seen = pixels_of(part, asked.framing)
    rows = list(_rows(predictor, part, seen, asked.version))
    unreadable = sum(not refusal.readable for refusal in seen.refusals.values())
    return Fragment(Tally.of(rows, unreadable), asked.format.encode(rows), perf_counter() - began)


def reader() -> str:
    """What decides the rows of a part beside part and version, here: the digest of the code, and the libraries."""
    libraries = ", ".join(f"{name} {release_of(name)}" for name in ("numpy", "pillow"))
    return f"code of sha256 {digest_of_sources(*_DECIDING)}, {libraries}"


@lru_cache(1)
def _predictor(repository: str, version: int, weights_sha256: str, wanted: str) -> Predictor:
    """The version, which a worker loads once, and first compares itself with who asks."""
    if (found := reader()) != wanted:
        raise ConfigError(
            f"the worker on {socket.gethostname()} has {found}, expected {wanted} as where the command runs; install "
            "the same there, restart the worker, and run the same command again"
        )
    predictor, manifest = load(Repository(repository), version)
    if manifest.files[WEIGHTS].sha256 != weights_sha256:
        raise DamagedVersionError(
            f"version {version} in {repository}: weights of sha256 {manifest.files[WEIGHTS].sha256}, expected "
            f"{weights_sha256} as at the beginning; do all workers see the same repository?"
        )
    return predictor


def _rows(predictor: Predictor, part: Part, seen: Seen, version: int) -> Iterator[Row]:
    answers = predictor.answers(seen.images)
    judges = predictor.rejection is not None
    digits = answers.probabilities.argmax(axis=1).tolist()
    probabilities = np.round(answers.probabilities.max(axis=1, initial=0).astype(np.float64), 6).tolist()
    digitness = np.round(answers.digitness.astype(np.float64), 6).tolist()
    rejected = answers.rejected.tolist()
    source = part.source.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    row = 0
    for place, item in enumerate(seen.items):
        if refusal := seen.refusals.get(place):
            yield Row(source, item, None, None, None, refusal.reason, version)
            continue
        likely = digitness[row] if judges else None
        if rejected[row]:
            yield Row(source, item, None, None, likely, _no_digit(digitness[row]).reason, version)
        else:
            yield Row(source, item, digits[row], probabilities[row], likely, None, version)
        row += 1


def _no_digit(digitness: float) -> Refusal:
    likely = f"{digitness:.1%}" if digitness >= 0.001 else "less than 0.1%"
    return Refusal(f"shows no digit: it is {likely} likely that this is a digit at all", readable=True)
