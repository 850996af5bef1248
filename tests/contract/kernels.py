"""Publish or load versions under whatever BLAS kernel OPENBLAS_CORETYPE names.

Usage: python -m tests.contract.kernels publish REPOSITORY SEED | load REPOSITORY
"""

import sys

import numpy as np

from core.artifact import weights
from core.artifact.manifest import Architecture
from core.artifact.repository import Repository
from core.inference.predict import load
from core.nn.architectures import build
from pipelines.config import load_recipe
from tests.core.artifact.builders import manifest_of


def publish(repository: Repository, recipe: str, seed: int) -> None:
    """Publish a network of a recipe of ours, with random weights and its golden outputs as they are computed here."""
    layers = tuple(load_recipe(recipe).model.layers)
    shape = (28, 28, 1) if recipe == "cnn" else (784,)
    network = build(shape, layers, rng=np.random.default_rng(seed))
    draft = repository.claim(weights.encode(network.state()))
    spec = Architecture(input_shape=shape, layers=layers, parameter_count=network.vector.value.size)
    draft.publish(manifest_of(network, version=draft.version, files=draft.files, architecture=spec))


def worst(repository: Repository, version: int) -> float:
    """Load a version, which probes it; then say how far its golden outputs lie from those that are published."""
    predictor, manifest = load(repository, version)
    images, expected = manifest.golden.arrays()
    return float(np.abs(predictor.probabilities(images) - expected).max())


if __name__ == "__main__":
    what, url, *rest = sys.argv[1:]
    if what == "publish":
        for name in ("mlp", "cnn"):
            publish(Repository(url, writable=True), name, int(rest[0]))
    else:
        found = Repository(url)
        print(max(worst(found, version) for version in found.versions()))
