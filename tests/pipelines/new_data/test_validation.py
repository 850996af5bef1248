"""Validation of the data: the data set's faults end the run, those of new pictures set them aside, oddities warn."""

import re

import numpy as np
import pytest

from core.data import mnist
from core.data.labeled import Labeled
from core.digit import SIDE
from core.errors import DatasetError
from core.shipped import ROOT
from pipelines.new_data.rules import ValidationSection
from pipelines.new_data.validation import sentence, validate

RULE = ValidationSection()
NONE = Labeled(np.empty((0, SIDE, SIDE), np.uint8), np.empty(0, np.uint8))


@pytest.fixture(scope="module")
def whole() -> mnist.Mnist:
    return mnist.load(ROOT / "data" / "mnist")


@pytest.fixture(scope="module")
def usual(whole: mnist.Mnist) -> Labeled:
    return Labeled(whole.train_images[:3000], whole.train_labels[:3000])


@pytest.fixture(scope="module")
def new(whole: mnist.Mnist) -> Labeled:
    return Labeled(whole.test_images[:600], whole.test_labels[:600])


def changed(images: Labeled, pixels: np.ndarray) -> Labeled:
    return Labeled(pixels.astype(np.uint8), images.labels)


def test_mnist_passes_with_and_without_more_of_its_kind(usual: Labeled, new: Labeled) -> None:
    alone = validate(usual, NONE, RULE)
    assert (alone.verdict, alone.findings, alone.new, alone.drift) == ("passed", (), None, None)
    both = validate(usual, new, RULE)
    assert (both.verdict, both.findings) == ("passed", ())
    assert both.new is not None
    assert both.new.count == 600
    words = sentence(both)
    assert words.startswith("validated: passed; 3,000 images of MNIST, ")
    assert "600 new pictures" in words


@pytest.mark.parametrize(
    ("spoiled", "finding"),
    [
        (lambda x: Labeled(x.images[x.labels != 3], x.labels[x.labels != 3]), "shows 3, expected all ten digits"),
        (lambda x: changed(x, 255 - x.images), r"mean ink is 2\d\d\.\d, expected 10 to 100 \(data.validation.ink\)"),
        (lambda x: changed(x, x.images // 16), r"mean ink is .*are they dark on light, or empty"),
        (lambda x: changed(x, x.images * (np.arange(len(x)) % 20 > 0)[:, None, None]), r"5\.0% of them are blank"),
        (lambda x: Labeled(x.images, np.full_like(x.labels, 10)), "labels: 10 for image 0, expected 0 to 9"),
    ],
    ids=["a digit is missing", "inverted", "on another scale", "blank images", "a label out of range"],
)
def test_a_data_set_at_fault_is_refused_in_one_sentence(usual: Labeled, spoiled: object, finding: str) -> None:
    with pytest.raises(DatasetError, match=finding):
        validate(spoiled(usual), NONE, RULE)  # type: ignore[operator]


def test_new_pictures_at_fault_are_set_aside_and_the_data_set_is_not(usual: Labeled, new: Labeled) -> None:
    found = validate(usual, changed(new, 255 - new.images), RULE)
    assert found.verdict == "set aside"
    [finding] = found.findings
    assert finding.startswith("the new pictures are set aside: their mean ink is 2")


def test_a_handful_of_odd_pictures_is_not_set_aside(usual: Labeled, new: Labeled) -> None:
    few = Labeled(np.zeros((3, SIDE, SIDE), np.uint8), new.labels[:3])
    assert validate(usual, few, RULE).verdict == "passed"


@pytest.mark.parametrize(
    ("odd", "finding"),
    [
        (lambda x: changed(x, np.roll(x.images, 4, 1)), "drift .* above 0.25"),
        (lambda x: Labeled(x.images, np.full_like(x.labels, 7)), "600 of 600 are said to show 7"),
        (
            lambda x: changed(x, np.maximum.reduce([np.roll(x.images, k, (1, 2)) for k in range(5)])),
            "strokes .* pixels wide, those of the training images are",
        ),
    ],
    ids=["shifted", "one digit", "thick strokes"],
)
def test_new_pictures_that_merely_differ_are_a_warning(usual: Labeled, new: Labeled, odd: object, finding: str) -> None:
    found = validate(usual, odd(new), RULE.model_copy(update={"ink": (10, 255), "most_blank": 1}))  # type: ignore[operator]
    assert found.verdict == "warned"
    assert any(re.search(finding, one) for one in found.findings), found.findings


def test_images_of_the_data_set_that_repeat_each_other_are_a_warning(usual: Labeled) -> None:
    rows = np.arange(len(usual))
    found = validate(usual.rows(np.concatenate([rows, rows])), NONE, RULE)
    assert found.verdict == "warned"
    assert "50.0% repeat an earlier one, expected at most 1.0% (data.validation.most_repeated)" in found.findings[0]


def test_a_rare_digit_is_a_warning_that_names_the_setting(usual: Labeled) -> None:
    rows = np.flatnonzero((usual.labels != 4) | (np.arange(len(usual)) % 10 == 0))
    found = validate(usual.rows(rows), NONE, RULE)
    assert found.verdict == "warned"
    assert "show 4, expected at least 2.0% (data.validation.rarest_digit)" in found.findings[0]
