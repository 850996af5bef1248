"""Arrays that cannot be trained on are refused once, and the error says what was found and what was wanted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.data import idx
from core.data.checked import check_inputs, check_labels
from core.data.large import memory_map
from core.errors import DatasetError

LABELS = np.arange(20) % 10


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS.reshape(-1, 1), r"labels: int64 \(20, 1\), expected integers \(N,\): the class of each image"),
        (LABELS.astype(np.float32), r"labels: float32 \(20,\), expected integers \(N,\)"),
        (LABELS == 1, r"labels: bool \(20,\), expected integers"),
        (np.int64(3), r"labels: int64 \(\), expected integers"),
        (np.where(LABELS == 4, -1, LABELS), "labels: -1 for image 4, expected 0 to 9"),
        (np.where(LABELS == 4, 10, LABELS), "labels: 10 for image 4, expected 0 to 9"),
        (np.where(LABELS == 4, 255, LABELS).astype(np.uint8), "labels: 255 for image 4, expected 0 to 9"),
    ],
)
def test_labels_that_are_no_classes_are_refused_with_the_first_of_them(labels: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        check_labels(labels, 10)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64, ">i4"])
def test_labels_of_any_integer_type_are_accepted(dtype: Any) -> None:
    check_labels(LABELS.astype(dtype), 10)


def test_without_a_number_of_classes_only_negative_labels_are_out_of_range() -> None:
    check_labels(LABELS + 1000)
    with pytest.raises(DatasetError, match="labels: -1 for image 0, expected 0 or more"):
        check_labels(LABELS - 1)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros(20), r"inputs: float64 \(20,\), expected real numbers \(N, …\)"),
        (np.zeros((20, 4), complex), r"inputs: complex128 \(20, 4\), expected real numbers"),
        (np.zeros((20, 4), object), r"inputs: object \(20, 4\), expected real numbers"),
        (np.full((20, 4), "7"), r"inputs: <U1 \(20, 4\), expected real numbers"),
    ],
)
def test_inputs_that_are_no_images_are_refused(inputs: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        check_inputs(inputs)


@pytest.mark.parametrize("planted", [np.nan, np.inf, -np.inf])
def test_inputs_that_are_not_finite_are_counted_and_the_first_is_named(planted: float) -> None:
    inputs = np.zeros((20, 2, 2), np.float32)
    inputs[[7, 9], 1, 0] = planted
    with pytest.raises(
        DatasetError, match="2 of 20 images hold a number that is NaN or infinite, the first is image 7"
    ):
        check_inputs(inputs)


def test_a_memory_map_of_floats_is_not_read_to_be_checked(tmp_path: Path) -> None:
    idx.write(tmp_path / "images", np.full((20, 4), np.nan, np.float32))
    check_inputs(memory_map(tmp_path / "images"))
