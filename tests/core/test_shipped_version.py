"""The version that ships with the code: numbers that a change of the code alone must not alter.

Another BLAS kernel adds the same products in another order and so alters a logit by some 1e-6. That moves no image to
another digit: in this version the two largest logits of every test image are at least 0.003 apart.
"""

from pathlib import Path

import pytest

from core.artifact.manifest import Manifest
from core.artifact.repository import Repository
from core.data import mnist
from core.inference.predict import Predictor, load
from core.measure.evaluate import evaluate
from tests.floats import assert_close, close

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped() -> tuple[Predictor, Manifest]:
    return load(Repository(str(ROOT / "pretrained")), 1)


def test_it_reads_9961_of_the_10000_test_images_right(shipped: tuple[Predictor, Manifest]) -> None:
    predictor, manifest = shipped
    digits = mnist.load(ROOT / "data" / "mnist")
    probabilities = predictor.probabilities(digits.test_images)
    found = evaluate(probabilities, digits.test_labels)
    assert round(found.accuracy * found.count) == 9961
    assert found.accuracy == manifest.test.accuracy
    assert found.per_class == manifest.test.per_class
    assert found.loss == close(manifest.test.loss, rel=1e-5, why="another BLAS kernel")


def test_its_golden_probabilities_are_those_of_the_trainer(shipped: tuple[Predictor, Manifest]) -> None:
    predictor, manifest = shipped
    images, expected = manifest.golden.arrays()
    assert_close(predictor.probabilities(images), expected, abs=1e-6, why="another BLAS kernel")
    assert expected.argmax(axis=1).tolist() == list(range(10)), "one image of each digit, read right"
