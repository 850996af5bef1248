"""A tiny network and its manifest, published as the pipeline publishes a trained one."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from core.artifact import weights
from core.artifact.manifest import (
    WEIGHTS,
    Architecture,
    Calibration,
    FileEntry,
    Golden,
    Manifest,
    Metrics,
    Preprocessing,
    Robustness,
    Verdict,
)
from core.artifact.origin import CodeProvenance, DataProvenance, Environment
from core.artifact.repository import Draft, Repository
from core.data.normalize import Normalizer
from core.inference.predict import Predictor
from core.nn.architectures import build
from core.nn.sequential import Sequential

LAYERS: tuple[dict[str, Any], ...] = (
    {"kind": "dense", "units": 8},
    {"kind": "relu"},
    {"kind": "dense", "units": 10},
)
LABELS = tuple("0123456789")
NORMALIZER = Normalizer(mean=33.3, std=78.6)
FILES = {WEIGHTS: FileEntry.of(b"weights")}
"""Those of a manifest whose files nobody reads."""
CREATED = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def tiny_network(seed: int = 0) -> Sequential:
    """784 → 8 → 10, with random weights."""
    return build((784,), LAYERS, rng=np.random.default_rng(seed))


def some_images(count: int, seed: int = 0) -> np.ndarray:
    """(count, 28, 28) uint8, noise."""
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def manifest_of(network: Sequential, *, version: int = 1, files: dict[str, FileEntry], **changes: Any) -> Manifest:
    """A complete manifest; `changes` replace fields."""
    images = some_images(3)
    probabilities = Predictor(network, NORMALIZER, LABELS).probabilities(images)
    metrics = Metrics(
        count=100,
        accuracy=0.5,
        interval=(0.404, 0.596),
        loss=1.25,
        calibration_error=0.125,
        raw_calibration_error=0.25,
        per_class=(0.5,) * 10,
        per_class_intervals=((0.2366, 0.7634),) * 10,
    )
    fields: dict[str, Any] = {
        "name": "mnist",
        "version": version,
        "created": CREATED,
        "fingerprint": "f" * 64,
        "files": files,
        "architecture": Architecture(
            input_shape=network.input_shape, layers=LAYERS, parameter_count=network.vector.value.size
        ),
        "labels": LABELS,
        "preprocessing": Preprocessing(mean=NORMALIZER.mean, std=NORMALIZER.std, framing={"size": 28}),
        "data": DataProvenance(
            files={"train-images": "a" * 64},
            train_images=900,
            validation_images=100,
            test_images=100,
            split_seed=0,
            license="CC BY-SA 3.0",
        ),
        "recipe_name": "tiny",
        "recipe": {"train": {"epochs": 1, "learning_rate": 0.1}},
        "code": CodeProvenance(commit="c" * 40, dirty=False, sources_sha256="d" * 64),
        "environment": Environment(python="3.11.2", numpy="2.4.6", blas="openblas", cpu="any", threads=1),
        "validation": metrics,
        "test": metrics,
        "calibration": Calibration(temperature=1.0),
        "robustness": {"noise": Robustness(description="noise", count=25, accuracy=0.4, interval=(0.234, 0.593))},
        "verdict": Verdict(promote=True, reason="the first version", parent=None),
        "golden": Golden(images=images.tobytes(), probabilities=tuple(map(tuple, probabilities.tolist()))),
    }
    return Manifest(**(fields | changes))


def claim(repository: Repository, seed: int = 0) -> tuple[Draft, Manifest]:
    """Claim a number for a tiny network; its manifest is ready, not yet published."""
    network = tiny_network(seed)
    draft = repository.claim(weights.encode(network.state()))
    return draft, manifest_of(network, version=draft.version, files=dict(draft.files))


def publish(repository: Repository, seed: int = 0) -> Manifest:
    """Publish a version with a report and a card, as people get them."""
    draft, manifest = claim(repository, seed)
    draft.add("report.html", b"<p>a report</p>")
    draft.add("card.md", b"# A card")
    manifest = manifest.model_copy(update={"files": dict(draft.files)})
    draft.publish(manifest)
    return manifest
