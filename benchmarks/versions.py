"""Versions to serve: one trained by the pipeline, and variants of it."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from core.artifact import weights as weights_file
from core.artifact.manifest import Golden, Manifest
from core.artifact.repository import Repository
from core.errors import ConfigError
from core.inference.predict import rebuild

__all__ = ["another", "trained"]


def trained(folder: Path) -> Repository:
    """A repository whose version 1 is the recipe mlp, 784-128-10, after one epoch.

    Raises:
        ConfigError: The pipeline failed; its reason is on standard error.
    """
    command = [sys.executable, "-m", "pipelines", "retrain", "--recipe", "mlp", "--set", "train.epochs=1"]
    command += ["--repository", str(folder), "--data-dir", str(folder.with_name("data")), "--json"]
    if subprocess.run(command, stdout=subprocess.PIPE, check=False).returncode:
        raise ConfigError(f"{' '.join(command[1:])} failed; its reason stands above")
    return Repository(str(folder), writable=True)


def another(repository: Repository, like: Manifest, seed: int) -> int:
    """Publish a variant of a version with slightly different weights, so that its answers differ from all others.

    Returns:
        The number of the new version; it is not promoted.
    """
    rng = np.random.default_rng(seed)
    state = weights_file.decode(repository.read(like), name="like")
    moved = {name: (w + 0.02 * rng.standard_normal(w.shape)).astype(w.dtype) for name, w in state.items()}
    data = weights_file.encode(moved)
    draft = repository.claim(data)
    images, _ = like.golden.arrays()
    anything = like.golden.model_copy(update={"tolerance": 1.0})  # its golden outputs are not known yet
    predictor = rebuild(like.model_copy(update={"golden": anything}), data)
    golden = Golden(images=images.tobytes(), probabilities=tuple(map(tuple, predictor.probabilities(images).tolist())))
    draft.publish(like.model_copy(update={"version": draft.version, "files": draft.files, "golden": golden}))
    return draft.version
