"""What the network sees of each item, or why it sees nothing."""

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data import idx
from core.errors import DataError
from core.imaging import LATEST, digit_from_bytes, from_pixels
from pipelines.score.part import InputChangedError
from pipelines.score.partition import Partition
from pipelines.score.picture_table import pictures_of
from pipelines.score.pixels import pixels_of


def _seen(*inputs: str):
    [part] = Partition.of(inputs, Path("table.csv"), Path(), print)
    return pixels_of(part, LATEST)


def _png(gray: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(gray).save(file, "PNG")
    return file.getvalue()


def _enlarged(digit: np.ndarray) -> np.ndarray:
    return 255 - np.kron(np.pad(digit, 8), np.ones((4, 4), np.uint8))


def test_a_picture_is_framed_as_the_service_frames_it(here, digits):
    for number in range(3):
        Path(f"{number}.png").write_bytes(_png(_enlarged(digits[number])))
    seen = _seen(".")
    assert seen.items == ["./0.png", "./1.png", "./2.png"]
    expected = [digit_from_bytes(Path(item).read_bytes()) for item in seen.items]
    assert np.array_equal(seen.images, np.stack(expected))
    assert seen.refusals == {}


def test_each_picture_without_a_digit_has_its_reason(here, digits):
    two = np.hstack([_enlarged(digits[0]), _enlarged(digits[1])])
    Path("a-blank.png").write_bytes(_png(np.full((60, 60), 255, np.uint8)))
    Path("b-two.png").write_bytes(_png(two))
    Path("c-text.png").write_bytes(b"no picture")
    Path("e-huge.png").write_bytes(bytes(10 * 1024 * 1024 + 1))
    Path("f-digit.png").write_bytes(_png(_enlarged(digits[2])))
    seen = _seen(".")
    found = {seen.items[place]: (refusal.reason, refusal.readable) for place, refusal in seen.refusals.items()}
    beginnings = {
        "./a-blank.png": ("no digit found: ", True),
        "./b-two.png": ("shows several digits: 2 digits side by side", True),
        "./c-text.png": ("unreadable: not a picture", False),
        "./e-huge.png": ("unreadable: 10,485,761 bytes, at most 10,485,760", False),
    }
    assert set(found) == set(beginnings)
    for item, (words, readable) in beginnings.items():
        assert found[item][0].startswith(words)
        assert found[item][1] is readable
    assert len(seen.images) == 1


def test_a_named_fifo_and_a_link_to_nowhere_cost_their_row_alone(here):
    os.mkfifo("pipe")
    Path("link.png").symlink_to("nowhere.png")
    assert _seen("pipe").refusals[0].reason == "unreadable: a FIFO, expected a file"
    assert _seen("link.png").refusals[0].reason == "unreadable: No such file or directory"


def test_images_of_idx_are_taken_as_the_service_takes_pixels(here, digits):
    images = digits[:6].copy()
    images[1] = 255 - images[1]
    images[2] = images[2] > 127  # on the scale 0 to 1
    images[3] = 0
    idx.write("images", images)
    seen = _seen("images")
    assert list(seen.refusals) == [3]
    assert seen.refusals[3].reason == "no digit found: nothing is drawn; every pixel is 0"
    assert np.array_equal(seen.images, [from_pixels(images[n].tobytes()) for n in (0, 1, 2, 4, 5)])


def test_inverted_images_are_turned_without_looking_at_each_alone(here, digits):
    idx.write("images", 255 - digits)
    assert np.array_equal(_seen("images").images, digits)


def test_images_that_are_cut_off_after_the_beginning_are_an_error(here, digits):
    idx.write("images", digits)
    [*_, last] = Partition.of(["images"], Path("table.csv"), Path(), print)
    os.truncate("images", 1000)
    with pytest.raises(InputChangedError, match="images"):
        pixels_of(last, LATEST)


@pytest.mark.parametrize("as_struct", [False, True])
def test_a_table_gives_pictures_of_every_row_group_in_order(here, digits, as_struct, monkeypatch):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    monkeypatch.setattr("pipelines.score.partition.PICTURES", 1)
    pictures = [_png(digit) for digit in digits[:21]] + [None]
    column = [{"bytes": picture, "path": "x.png"} for picture in pictures] if as_struct else pictures
    parquet.write_table(pa.table({"label": range(22), "image": column}), "table.parquet", row_group_size=10)
    parts = list(Partition.of(["table.parquet"], Path("table.csv"), Path(), print))
    assert [(part.group, part.start, part.first, part.count) for part in parts][:4] == [
        (0, 0, 0, 4),
        (0, 4, 4, 4),
        (0, 8, 8, 2),
        (1, 0, 10, 4),
    ]
    seen = [pixels_of(part, LATEST) for part in parts]
    assert [item for part in seen for item in part.items] == [str(number) for number in range(22)]
    assert np.array_equal(np.concatenate([part.images for part in seen]), digits[:21])
    assert seen[-1].refusals[len(seen[-1].items) - 1].reason == "unreadable: there are no bytes in this row"


def test_a_damaged_row_group_costs_its_rows_and_no_others(here, digits):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pa.table({"image": [_png(digit) for digit in digits[:20]]})
    parquet.write_table(table, "table.parquet", row_group_size=10)
    damaged = bytearray(Path("table.parquet").read_bytes())
    damaged[4:200] = b"\xff" * 196
    Path("table.parquet").write_bytes(damaged)
    first, second = Partition.of(["table.parquet"], Path("table.csv"), Path(), print)
    reasons = [refusal.reason for refusal in pixels_of(first, LATEST).refusals.values()]
    assert len(reasons) == 10
    assert all(reason.startswith("unreadable: the table is damaged in row group 0: ") for reason in reasons)
    assert np.array_equal(pixels_of(second, LATEST).images, digits[10:20])


@pytest.mark.parametrize("kind", [MemoryError, OSError])
def test_too_little_memory_and_failing_storage_are_no_damage_of_a_table(here, digits, monkeypatch, kind):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    def fail(*given, **more):
        raise (
            pa.ArrowMemoryError("malloc failed") if kind is MemoryError else OSError(errno.ESTALE, "Stale file handle")
        )

    parquet.write_table(pa.table({"image": [_png(digits[0])]}), "table.parquet")
    [part] = Partition.of(["table.parquet"], Path("table.csv"), Path(), print)
    monkeypatch.setattr(parquet, "ParquetFile", fail)
    with pytest.raises(kind, match="malloc failed|Stale"):
        pixels_of(part, LATEST)
    with pytest.raises(kind, match="malloc failed|Stale"):
        _seen("table.parquet")


def test_a_row_group_is_never_all_in_memory(here):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    draw = np.random.default_rng(0)
    pictures = [draw.bytes(4096) for _ in range(8192)]
    parquet.write_table(pa.table({"image": pictures}), "table.parquet", row_group_size=8192)
    before = pa.total_allocated_bytes()
    rows = pictures_of(Path("table.parquet"), "image", group=0, start=512, count=512)
    assert next(rows) == pictures[512]
    assert pa.total_allocated_bytes() - before < 8192 * 4096 / 2
    rows.close()


def test_a_table_without_a_column_of_pictures_names_its_columns(here):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table({"label": [1], "name": ["a"]}), "table.parquet")
    with pytest.raises(DataError, match=r"table.parquet: 0 columns of bytes, found label \(int64\), name \(string\)"):
        _seen("table.parquet")
    Path("cut.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match="cut.parquet: not a Parquet table that can be read"):
        _seen("cut.parquet")
