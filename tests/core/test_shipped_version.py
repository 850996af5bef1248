"""The version that ships with the code: numbers that a change of the code alone must not alter.

Another BLAS kernel adds the same products in another order and so alters a logit by some 1e-6. That moves no image to
another digit: in this version the two largest logits of every test image are at least 0.01 apart.
"""

import json
from pathlib import Path

import pytest

from core.artifact.manifest import Manifest
from core.artifact.repository import Repository
from core.data import mnist
from core.drawing import samples
from core.inference.predict import Predictor, load
from core.measure.evaluate import evaluate
from tests.floats import assert_close, close

ROOT = Path(__file__).parents[2]

UNSEEN = 987_654
"""A seed of drawn images with which the version was neither trained nor fitted."""


@pytest.fixture(scope="module")
def shipped() -> tuple[Predictor, Manifest]:
    return load(Repository(str(ROOT / "pretrained")), 1)


def test_it_reads_9960_of_the_10000_test_images_right(shipped: tuple[Predictor, Manifest]) -> None:
    predictor, manifest = shipped
    digits = mnist.load(ROOT / "data" / "mnist")
    probabilities = predictor.probabilities(digits.test_images)
    found = evaluate(probabilities, digits.test_labels)
    assert round(found.accuracy * found.count) == 9960
    assert found.accuracy == manifest.test.accuracy
    assert found.per_class == manifest.test.per_class
    assert found.loss == close(manifest.test.loss, rel=1e-5, why="another BLAS kernel")


def test_its_documents_carry_their_digests() -> None:
    moves = sorted((ROOT / "pretrained").rglob("aliases/champion/*.json"))
    documents = [ROOT / "pretrained" / "mnist" / "1" / "manifest.json", *moves]
    assert len(documents) > 1
    for document in documents:
        assert "digest" in json.loads(document.read_bytes()), document


def test_its_golden_probabilities_are_those_of_the_trainer(shipped: tuple[Predictor, Manifest]) -> None:
    predictor, manifest = shipped
    images, expected = manifest.golden.arrays()
    assert_close(predictor.probabilities(images), expected, abs=1e-6, why="another BLAS kernel")
    assert expected.argmax(axis=1).tolist() == list(range(10)), "one image of each digit, read right"


def test_it_reads_drawn_digits_that_it_was_not_trained_on(shipped: tuple[Predictor, Manifest]) -> None:
    predictor, _ = shipped
    drawn = samples.digits(400, seed=UNSEEN)
    answers = predictor.answers(drawn.images)
    right = (answers.probabilities.argmax(axis=1) == drawn.labels) & ~answers.rejected
    assert right.mean() > 0.98


def test_it_refuses_drawn_things_that_are_no_digits(shipped: tuple[Predictor, Manifest]) -> None:
    predictor, _ = shipped
    assert predictor.answers(samples.others(400, seed=UNSEEN)).rejected.mean() > 0.95


def test_it_refuses_hardly_any_test_image(shipped: tuple[Predictor, Manifest]) -> None:
    predictor, manifest = shipped
    refused = predictor.answers(mnist.load(ROOT / "data" / "mnist").test_images).rejected.mean()
    assert refused < 0.002
    assert manifest.rejection_metrics is not None
    assert refused == manifest.rejection_metrics.digits.share


def test_it_is_hardly_ever_sure_and_wrong(shipped: tuple[Predictor, Manifest]) -> None:
    predictor, _ = shipped
    digits = mnist.load(ROOT / "data" / "mnist")
    answers = predictor.answers(digits.test_images)
    wrong = (answers.probabilities.argmax(axis=1) != digits.test_labels) & ~answers.rejected
    assert (wrong & (answers.probabilities.max(axis=1) > 0.99)).mean() < 0.001
