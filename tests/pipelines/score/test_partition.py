"""The inputs, divided into parts."""

from pathlib import Path

import numpy as np
import pytest

from core.data import idx
from core.errors import ConfigError, IdxError, IdxGzipBombError, IdxTruncatedError
from pipelines.score.input_files import Content
from pipelines.score.partition import Partition


@pytest.fixture
def divide(here, small_parts, tmp_path):
    """Divides inputs, and gives the parts and what was said."""
    folder = tmp_path / "work"
    folder.mkdir()

    def divided(*inputs: str):
        said: list[str] = []
        partition = Partition.of(inputs, Path("table.csv"), folder, said.append)
        parts = list(partition)
        assert (partition.parts, partition.items) == (len(parts), sum(part.count for part in parts))
        return parts, said

    return divided


def test_images_of_idx_are_divided_without_gap_or_overlap(divide, digits):
    idx.write("images", digits)
    parts, _ = divide("images")
    assert [(part.first, part.count) for part in parts] == [(0, 64), (64, 64), (128, 64), (192, 64), (256, 44)]
    read = [np.fromfile(part.path, np.uint8, part.count * 784, offset=part.start) for part in parts]
    assert np.array_equal(np.concatenate(read), digits.ravel())


def test_gzipped_images_are_unpacked_once_and_keep_their_name(divide, digits):
    idx.write("images.gz", digits)
    parts, _ = divide("images.gz")
    unpacked = Path(parts[0].unpacked)
    assert unpacked.read_bytes() == idx.encode(digits)
    assert {part.source for part in parts} == {"images.gz"}
    before = unpacked.stat()
    assert divide("images.gz")[0] == parts
    assert unpacked.stat() == before


def test_pictures_are_grouped_by_number_and_by_bytes(divide, monkeypatch):
    for number in range(9):
        Path(f"{number}.png").write_bytes(b"." * (100 if number == 5 else 1))
    monkeypatch.setattr("pipelines.score.partition.PICTURE_BYTES", 50)
    parts, _ = divide(".")
    assert [[file.path for file in part.files] for part in parts] == [
        ["./0.png", "./1.png", "./2.png", "./3.png"],
        ["./4.png", "./5.png"],
        ["./6.png", "./7.png", "./8.png"],
    ]


def test_the_order_is_that_of_the_inputs_though_their_contents_differ(divide, digits):
    idx.write("b", digits[:2])
    for name in ("a.png", "c.png", "d.png"):
        Path(name).write_bytes(b"x")
    parts, _ = divide(".", "d.png")
    assert [(part.content, part.source, part.count) for part in parts] == [
        (Content.PICTURE, ".", 1),
        (Content.IDX, "./b", 2),
        (Content.PICTURE, ".", 2),
        (Content.PICTURE, "d.png", 1),
    ]


def test_labels_in_a_folder_are_passed_over_and_a_sentence_says_so(divide, digits):
    idx.write("images", digits[:1])
    idx.write("labels", np.zeros(1, np.uint8))
    parts, said = divide(".")
    assert [part.source for part in parts] == ["./images"]
    assert said == ["passed over 1 IDX files of labels: they hold no images"]


@pytest.mark.parametrize("array", [np.zeros(3, np.uint8), np.zeros((3, 32, 32), np.uint8), np.zeros((3, 28, 28), "f4")])
def test_a_file_of_other_arrays_is_named_with_what_was_expected(divide, array):
    idx.write("other", array)
    with pytest.raises(IdxError, match=r"other: .*expected images, uint8 \(N, 28, 28\)"):
        divide("other")


def test_a_file_that_is_cut_short_is_an_error_before_anything_is_read(divide, digits):
    Path("images").write_bytes(idx.encode(digits)[:-1])
    with pytest.raises(IdxTruncatedError, match="images"):
        divide("images")


def test_a_gzipped_file_larger_than_it_announces_is_not_unpacked_whole(divide, digits, tmp_path):
    import gzip

    Path("bomb.gz").write_bytes(gzip.compress(idx.encode(digits[:1]) + bytes(10**7)))
    with pytest.raises(IdxGzipBombError, match="bomb.gz"):
        divide("bomb.gz")
    assert not list((tmp_path / "work").iterdir())


def test_a_folder_without_anything_to_read_is_an_error(divide):
    Path("empty").mkdir()
    with pytest.raises(ConfigError, match="INPUT empty: no picture and no image in it"):
        divide("empty")
