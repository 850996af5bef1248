"""Versions that were published by earlier code, before its modules moved, are still read, served and rolled back to.

`published_earlier/` is a repository with two of them: version 1, a dense network, and version 2, the champion, with a
convolution, batch norm, dropout and a residual block.
"""

import re
import shutil
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from core.artifact.repository import Repository
from core.data import idx
from core.data.mnist import FILES
from core.inference.predict import load
from service.client import Recognizer
from tests.patience import eventually
from tests.service.harness import expected, running

ROOT = Path(__file__).resolve().parents[2]

KINDS = {
    1: ["dense", "relu", "dense"],
    2: ["conv2d", "batch_norm", "relu", "maxpool2d", "maxpool2d", "flatten", "dropout", "residual", "dense"],
}

READ_RIGHT = {1: 925, 2: 898}
"""Of the first 1,000 test images, as counted with the code that published the versions."""

LEAST_MARGIN = 5e-4
"""By how much the largest logit of each of these images exceeds the second at least. With other BLAS kernels, logits
differ by some 2e-6: far too little to change a digit, so the counts are exact on any machine."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the repository: what is kept is never written to."""
    return shutil.copytree(Path(__file__).with_name("published_earlier"), tmp_path / "models")


@pytest.fixture
def repository(folder: Path) -> Repository:
    return Repository(str(folder))


@pytest.fixture(scope="module")
def test_images() -> dict[str, np.ndarray]:
    """The first 1,000 images and labels of the MNIST test set, by role."""
    files = [file for file in FILES if file.role.startswith("test")]
    return {file.role: idx.read(ROOT / f"data/mnist/{file.name}.gz", magic=file.magic)[:1000] for file in files}


@pytest.mark.parametrize("version", KINDS)
def test_an_earlier_version_is_read_and_reproduces_its_golden_probabilities(repository, version):
    predictor, manifest = load(repository, version)
    assert [layer["kind"] for layer in manifest.architecture.layers] == KINDS[version]
    images, probabilities = manifest.golden.arrays()
    assert len(images) == 10
    # The tolerance that the format itself allows between the machine that trains and the machine that serves.
    assert np.abs(predictor.probabilities(images) - probabilities).max() <= manifest.golden.tolerance


@pytest.mark.parametrize("version", READ_RIGHT)
def test_an_earlier_version_reads_as_many_test_images_right_as_before(repository, test_images, version):
    logits = load(repository, version)[0].logits(test_images["test_images"])  # (1000, 10)
    second, first = np.sort(logits, axis=1)[:, -2:].T
    assert (first - second).min() > LEAST_MARGIN
    assert (logits.argmax(axis=1) == test_images["test_labels"]).sum() == READ_RIGHT[version]


@pytest.mark.parametrize("version", KINDS)
def test_the_python_code_on_the_card_of_an_earlier_version_still_runs(folder, monkeypatch, version):
    card = (folder / f"mnist/{version}/card.md").read_text()
    code = re.search(r"^From Python.*?\n\n((?:    .*\n|\n)+)", card, re.MULTILINE)
    assert "from core.predictor import load" in code[1]
    names = {"images": np.zeros((2, 28, 28), np.uint8)}
    monkeypatch.chdir(folder.parent)  # the card opens the repository ./models
    exec(dedent(code[1]), names)
    assert names["manifest"].version == version
    assert names["probabilities"].shape == (2, 10)


def test_earlier_versions_are_served_and_a_rollback_to_one_is_followed(folder, repository, test_images):
    pixels = test_images["test_images"][0]
    with running(folder, serve_also="1", pretrained="off") as server, Recognizer(server.address) as client:
        champion = client.recognize(pixels)
        assert champion.model_version == "2"
        assert champion.digit == test_images["test_labels"][0]
        assert champion.probabilities == expected(repository, 2, pixels)  # the same computation, hence the same bits
        assert client.recognize(pixels, model_version="1").probabilities == expected(repository, 1, pixels)

        move = repository.alias("champion").rollback(by="tests", why="as `models rollback` does")
        assert (move.previous, move.version) == (2, 1)
        eventually(lambda: client.recognize(pixels).model_version == "1")
        assert client.recognize(pixels).probabilities == expected(repository, 1, pixels)
        assert client.recognize(pixels).weights_sha256 == repository.manifest(1).files["weights.safetensors"].sha256
