"""A repository of tiny models for tests: random weights, published as the pipeline publishes trained ones."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from core.artifact import weights
from core.artifact.manifest import WEIGHTS, Architecture, Golden, Manifest, Metrics, Preprocessing, Signature, Verdict
from core.artifact.origin import CodeProvenance, DataProvenance, Environment
from core.artifact.repository import CHAMPION, Draft, Repository
from core.data.normalize import Normalizer
from core.imaging import FRAMING
from core.inference.predict import Predictor
from core.nn.architectures import build
from core.nn.sequential import Sequential

LAYERS = ({"kind": "dense", "units": 16}, {"kind": "relu"}, {"kind": "dense", "units": 10})
LABELS = tuple("0123456789")
NOWHERE = "0" * 64
MEAN, STD = 33.0, 78.0


def publish(
    repository: Repository,
    *,
    seed: int,
    promote: bool = True,
    documents: Mapping[str, bytes] | None = None,
    **described: object,
) -> int:
    """Publish a network with random weights; another seed gives other answers.

    Args:
        repository: Where to publish it.
        seed: The seed of the weights.
        promote: Whether it becomes champion.
        documents: Files that are published with it, by name.
        described: Fields of its manifest, such as `spread` or `rejection`.

    Returns:
        Its version.
    """
    network = tiny_network(seed)
    return publish_network(repository, network, promote=promote, documents=documents, **described)


def tiny_network(seed: int) -> Sequential:
    """A network with random weights."""
    return build((784,), LAYERS, rng=np.random.default_rng(seed))


def publish_network(
    repository: Repository,
    network: Sequential,
    *,
    promote: bool = True,
    documents: Mapping[str, bytes] | None = None,
    **described: object,
) -> int:
    """Publish a network of this shape, as `publish` does."""
    data = weights.encode(network.state())
    draft = repository.claim(data)
    for name, content in (documents or {}).items():
        draft.add(name, content)
    manifest = manifest_of(draft, Predictor(network, Normalizer(MEAN, STD), LABELS), network.vector.value.size)
    signature = Signature.of(described.get("rejection"))  # type: ignore[arg-type]  # a Rejection, or none
    draft.publish(manifest.model_copy(update={"signature": signature} | described))
    if promote:
        repository.promote(draft.version, by="tests", why="a new one")
    return draft.version


def manifest_of(draft: Draft, predictor: Predictor, parameters: int) -> Manifest:
    """A manifest as a training would write it."""
    golden = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    metrics = Metrics(
        count=1, accuracy=0.5, interval=(0.0, 1.0), loss=1.0, calibration_error=0.5, per_class=(0.5,) * 10
    )
    return Manifest(
        name="mnist",
        version=draft.version,
        created=datetime.now(UTC),
        fingerprint=NOWHERE,
        files=draft.files,
        architecture=Architecture(input_shape=(784,), layers=LAYERS, parameter_count=parameters),
        labels=LABELS,
        preprocessing=framed(**asdict(FRAMING)),
        data=DataProvenance(files={}, train_images=1, validation_images=1, test_images=1, split_seed=0, license="none"),
        recipe_name="tiny",
        recipe={},
        code=CodeProvenance(commit=None, dirty=None, sources_sha256=NOWHERE),
        environment=Environment(python="3", numpy="2", blas="any", cpu="any", threads=1),
        validation=metrics,
        test=metrics,
        verdict=Verdict(promote=True, reason="a test wants it", parent=None),
        golden=Golden(
            images=golden.tobytes(), probabilities=tuple(map(tuple, predictor.probabilities(golden).tolist()))
        ),
    )


def framed(**framing: object) -> Preprocessing:
    """The field `preprocessing` of a manifest, for a version that frames pictures so."""
    return Preprocessing(mean=MEAN, std=STD, framing=framing)


def weights_file(folder: Path, version: int) -> Path:
    """Where the weights of a version lie in a repository that is a folder."""
    return folder / "mnist" / str(version) / WEIGHTS


def damage(file: Path) -> bytes:
    """Flip one bit of one byte in the middle of a file.

    Returns:
        What the file held before.
    """
    before = file.read_bytes()
    middle = len(before) // 2
    file.write_bytes(before[:middle] + bytes([before[middle] ^ 1]) + before[middle + 1 :])
    return before


__all__ = ["CHAMPION", "damage", "publish", "weights_file"]
