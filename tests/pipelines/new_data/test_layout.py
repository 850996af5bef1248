"""From the names of files to what is read from them."""

import pytest

from pipelines.new_data.layout import Form, plan
from pipelines.new_data.survey import FoundFile


def found(*paths: str) -> list[FoundFile]:
    return [FoundFile(path, (1, 2, 3)) for path in paths]


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("7/any.png", 7),
        ("0/any", 0),
        ("7/writer/any.jpg", 7),
        ("some/where/7/any.bmp", 7),
        ("3/7/any.png", 7),
        ("7_any.png", 7),
        ("some/where/7_any", 7),
        ("7/3_any.png", 7),  # the third scan of a 7
        ("7/images.png", 7),
        ("7/labels.v2.png", 7),
    ],
)
def test_the_nearest_folder_of_a_digit_or_else_the_name_says_what_a_picture_shows(path: str, label: int) -> None:
    [job] = plan(found(path)).jobs
    assert (job.form, job.label, job.place) == (Form.PICTURE, label, path)


@pytest.mark.parametrize(
    "path", ["any.png", "77/any.png", "77_any.png", "seven/any.png", "_7.png", "7.png", "7_", "٧/a.png"]
)
def test_a_file_that_says_no_digit_is_listed_with_what_is_expected(path: str) -> None:
    found_plan = plan(found(path))
    assert found_plan.jobs == []
    assert "expected 7/any.png or 7_any.png" in found_plan.faults[path]


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte"),
        ("a/TRAIN-IMAGES.IDX3-UBYTE", "a/TRAIN-LABELS.IDX1-UBYTE"),
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
        ("x-images-idx3-ubyte/x-images-idx3-ubyte", "x-labels-idx1-ubyte/x-labels-idx1-ubyte"),
        ("images", "labels.gz"),
    ],
)
def test_images_and_labels_of_idx_are_read_together(images: str, labels: str) -> None:
    [job] = plan(found(labels, images)).jobs
    assert (job.form, [file.path for file in job.files]) == (Form.IDX, [images, labels])


def test_of_a_plain_file_and_the_same_one_gzipped_the_plain_one_is_read() -> None:
    [job] = plan(found("images", "images.gz", "labels", "labels.gz")).jobs
    assert [file.path for file in job.files] == ["images", "labels"]


@pytest.mark.parametrize(
    ("alone", "other"),
    [
        ("a/t10k-images-idx3-ubyte.gz", "a/t10k-labels-idx1-ubyte.gz"),
        ("t10k-labels.idx1-ubyte", "t10k-images.idx3-ubyte"),
    ],
)
def test_half_of_a_pair_is_listed_with_the_name_of_the_other(alone: str, other: str) -> None:
    assert f"expected {other} as well" in plan(found(alone, "b/t10k-labels-idx1-ubyte", "c/images")).faults[alone]


def test_a_table_is_known_by_its_suffix() -> None:
    assert [job.form for job in plan(found("data/train.parquet", "7/A.PARQUET")).jobs] == [Form.PARQUET] * 2


def test_the_order_of_the_files_plays_no_part() -> None:
    files = found("7_a", "3/b", "images", "labels", "t.parquet", "odd")
    assert plan(files) == plan(reversed(files))
