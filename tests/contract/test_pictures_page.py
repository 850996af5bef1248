"""docs/pictures.md: each row of its table says what is made of what comes in, and is tried here."""

import base64
import io
import os
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, features

from core.imaging import digit_from_bytes
from core.picture_file import read_picture
from protos.inference.open_inference_pb2 import ModelInferRequest
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest
from service.api.inference.inputs import pictures_of
from service.api.recognizer.convert import picture_of
from service.client.pictures import picture_field
from tests.core.imaging.drawn import REFERENCE, Gray, encoded, ink, likeness, on_white
from tests.core.imaging.pillow_modes import MODES, in_mode

PAGE = (Path(__file__).parents[2] / "docs/pictures.md").read_text("utf-8")

ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.splitlines()
    if re.match(r"\| (?!channel|---)", line)
]
"""(channel, what comes in, outcome, what is made of it)"""

PAPER = on_white()
STROKES = ink()


def sent(message: RecognizeRequest) -> Gray:
    """What the network sees of the picture in a message."""
    picture = picture_of(message)
    return digit_from_bytes(picture) if isinstance(picture, bytes) else picture


class Tensor:
    """An array of another library."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Gray:
        return REFERENCE


def file(data: bytes) -> Gray:
    return sent(RecognizeRequest(encoded=data))


def client(picture: Any) -> Gray:
    return sent(RecognizeRequest(**picture_field(picture)))


def pixels(image: Gray) -> Gray:
    return sent(RecognizeRequest(pixels=image.tobytes()))


def tensor(datatype: str, values: Any, *, of: tuple[int, ...] = (1, 28, 28)) -> Gray:
    raw = values if isinstance(values, bytes) else values.tobytes()
    inputs = [ModelInferRequest.InferInputTensor(name="image", datatype=datatype, shape=of)]
    found = pictures_of(ModelInferRequest(inputs=inputs, raw_input_contents=[raw]), max_batch=8)
    return digit_from_bytes(found[0]) if isinstance(found, list) else found.images[0]


def predict(folder: Path, data: bytes) -> Gray:
    (folder / "one.png").write_bytes(data)
    return digit_from_bytes(read_picture(folder / "one.png", 10_000_000))


def on_its_side(kind: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return encoded(Image.fromarray(PAPER).transpose(Image.Transpose.ROTATE_90), kind, exif=exif)


def animation() -> bytes:
    later = [Image.fromarray(on_white(digit=digit)) for digit in (7, 4)]
    return encoded(Image.fromarray(PAPER), "GIF", save_all=True, append_images=later)


def see_through() -> bytes:
    picture = Image.fromarray((STROKES > 0.5).astype(np.uint8)).convert("P")
    picture.putpalette([0, 0, 0] * 2)
    return encoded(picture, transparency=0)


def announcing(side: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def avif() -> Gray:
    if not features.check("avif"):  # Pillow's own wheels have the codec; builds of Linux distributions may lack it
        pytest.skip("this Pillow reads no AVIF")
    return file(encoded(PAPER, "AVIF"))


def opened(data: bytes, *, load: bool = False) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    if load:
        picture.load()
    return picture


def made(path: Path, make: Callable[[Path], object]) -> Path:
    make(path)
    return path


PNG = encoded(PAPER)
FTYP = b"\x00\x00\x00\x18ftyp%s\x00\x00\x00\x00" + bytes(40)
NORMALIZED = ((REFERENCE / 255 - 0.1307) / 0.3081).astype("<f4")
FRAME = np.pad(REFERENCE[2:26, 2:26], 2, constant_values=255)

CASES: dict[str, dict[str, Callable[[Path], Gray]]] = {
    "encoded": {
        "PNG": lambda _: file(PNG),
        "JPEG": lambda _: file(encoded(PAPER, "JPEG")),
        "GIF": lambda _: file(encoded(PAPER, "GIF")),
        "BMP": lambda _: file(encoded(PAPER, "BMP")),
        "WebP": lambda _: file(encoded(PAPER, "WEBP")),
        "TIFF": lambda _: file(encoded(PAPER, "TIFF")),
        "PPM, PGM, PBM": lambda _: file(encoded(PAPER, "PPM")),
        "AVIF": lambda _: avif(),
        "photo on its side (EXIF)": lambda _: file(on_its_side()),
        "animation, several pages": lambda _: file(animation()),
        "CMYK": lambda _: file(encoded(Image.fromarray(PAPER).convert("CMYK"), "JPEG")),
        "palette, transparency": lambda _: file(see_through()),
        "1 bit": lambda _: file(encoded(in_mode("1"))),
        "16 bits": lambda _: file(encoded(in_mode("I;16"))),
        "32-bit integers": lambda _: file(encoded(in_mode("I"), "TIFF")),
        "floats": lambda _: file(encoded(in_mode("F"), "TIFF")),
        "no more than levels 0 and 1 of 255": lambda _: file(encoded((PAPER > 127).astype(np.uint8))),
        "blank": lambda _: file(encoded(Image.new("L", (60, 60), 255))),
        "more than 1.5 megapixels": lambda _: file(encoded(on_white(canvas=(2000, 2500), size=1500, pen=60))),
        "more than 50 megapixels": lambda _: file(announcing(8000)),
        "more bytes than allowed": lambda _: file(bytes(11_000_000)),
        "damaged": lambda _: file(PNG[: len(PNG) // 2]),
        "nothing": lambda _: file(b""),
        "784 raw bytes": lambda _: file(REFERENCE.tobytes()),
        "base64 text": lambda _: file(base64.b64encode(PNG)),
        "data: URL": lambda _: file(b"data:image/png;base64," + base64.b64encode(PNG)),
        "SVG": lambda _: file(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        "HEIC, HEIF": lambda _: file(FTYP % b"heic"),
        "camera raw": lambda _: file(FTYP % b"crx "),
        "ICO, CUR": lambda _: file(encoded(PAPER, "ICO")),
        "PSD, XCF": lambda _: file(b"8BPS\x00\x01" + bytes(30)),
        "JPEG 2000, JPEG XL": lambda _: file(encoded(PAPER, "JPEG2000")),
        "PDF, PostScript": lambda _: file(encoded(PAPER, "PDF")),
        "video": lambda _: file(FTYP % b"isom"),
        "HTML": lambda _: file(b"<!DOCTYPE html><html></html>"),
        "JSON": lambda _: file(b'{"image": ""}'),
        "ZIP and other archives": lambda _: file(b"PK\x03\x04" + bytes(30)),
        "NumPy file": lambda _: file(b"\x93NUMPY\x01\x00" + bytes(30)),
        "text": lambda _: file(b"a seven"),
    },
    "ModelInfer": {
        "`BYTES`": lambda _: tensor("BYTES", struct.pack("<I", len(PNG)) + PNG, of=(1,)),
        "`UINT8`, 0 … 255": lambda _: tensor("UINT8", REFERENCE),
        "`UINT8`, 0 and 1": lambda _: tensor("UINT8", (REFERENCE > 127).astype(np.uint8)),
        "`UINT8`, inverted": lambda _: tensor("UINT8", 255 - REFERENCE),
        "`FP32`, 0 … 255": lambda _: tensor("FP32", REFERENCE.astype("<f4")),
        "`FP32`, 0 … 1": lambda _: tensor("FP32", (REFERENCE / 255).astype("<f4")),
        "`FP32`, 0 … 1, inverted": lambda _: tensor("FP32", (1 - REFERENCE / 255).astype("<f4")),
        "`FP32`, normalized": lambda _: tensor("FP32", NORMALIZED),
        "`FP32`, NaN or above 255": lambda _: tensor("FP32", np.full((28, 28), np.nan, "<f4")),
        "one level everywhere": lambda _: tensor("FP32", np.zeros((28, 28), "<f4")),
        "another datatype": lambda _: tensor("INT64", REFERENCE.astype("<i8")),
    },
    "pixels": {
        "784 bytes, 0 … 255": lambda _: pixels(REFERENCE),
        "784 bytes, 0 and 1": lambda _: pixels((REFERENCE > 127).astype(np.uint8)),
        "784 bytes, inverted": lambda _: pixels(255 - REFERENCE),
        "one level everywhere": lambda _: pixels(np.zeros((28, 28), np.uint8)),
        "no level above 31": lambda _: pixels(REFERENCE // 16),
        "gray edge, or a light frame around dark": lambda _: pixels(FRAME),
        "another number of bytes": lambda _: pixels(np.zeros(785, np.uint8)),
    },
    "client, array": {
        "(28, 28) `uint8`": lambda _: client(REFERENCE),
        "(28, 28) floats 0 … 1": lambda _: client(REFERENCE / 255),
        "(28, 28) floats 0 … 255": lambda _: client(REFERENCE.astype(np.float16)),
        "(28, 28) `bool`, or 0 and 1": lambda _: client(REFERENCE > 127),
        "(28, 28) `int64`, `uint16`, …": lambda _: client(REFERENCE.astype(np.uint16) * 257),
        "(28, 28) inverted": lambda _: client(1 - REFERENCE / 255),
        "(28, 28) one level everywhere": lambda _: client(np.zeros((28, 28))),
        "(H, W) `uint8`": lambda _: client(PAPER),
        "(H, W) `bool`, or 0 and 1": lambda _: client((PAPER > 127).astype(np.uint8)),
        "(H, W) floats 0 … 1": lambda _: client(PAPER / 255),
        "(H, W) floats 0 … 255": lambda _: client(PAPER.astype(np.float32)),
        "(H, W) `uint16`, `int32`, …": lambda _: client(PAPER.astype(np.int32) * 257),
        "(H, W, 1) and (1, H, W)": lambda _: client(PAPER[np.newaxis]),
        "(H, W, 3) and (H, W, 4)": lambda _: client(np.dstack([PAPER] * 3)),
        "(3, H, W) and (4, H, W)": lambda _: client(np.stack([PAPER] * 3)),
        "(N, 28, 28)": lambda _: client(np.stack([REFERENCE] * 5)),
        "(784,)": lambda _: client(REFERENCE.ravel()),
        "no element": lambda _: client(np.zeros((0, 28))),
        "one pixel": lambda _: client(np.ones((1, 1))),
        "negative values, NaN": lambda _: client(np.full((50, 50), -1.0)),
        "complex numbers, objects, text": lambda _: client(PAPER.astype(complex)),
    },
    "client, Pillow": {
        "opened file": lambda _: client(opened(on_its_side())),
        "opened file, decoded": lambda _: client(opened(on_its_side(), load=True)),
        "opened file of any other kind": lambda _: client(opened(encoded(PAPER, "JPEG2000"))),
        "animation": lambda _: client(opened(animation(), load=True)),
        "`P` with transparency": lambda _: client(opened(see_through(), load=True)),
        **{f"mode `{mode}`": lambda _, mode=mode: client(in_mode(mode)) for mode in MODES},
    },
    "client": {
        "bytes": lambda _: client(PNG),
        "path": lambda folder: client(made(folder / "one.png", lambda path: path.write_bytes(PNG))),
        "open binary file, BytesIO": lambda _: client(io.BytesIO(PNG)),
        "object with `__array__`, such as a tensor": lambda _: client(Tensor()),
        "path of a directory, pipe or device": lambda folder: client(made(folder / "pipe", os.mkfifo)),
        "path of nothing": lambda folder: client(folder / "nowhere.png"),
        "data: URL, base64 or web address as text": lambda _: client("data:image/png;base64,AAAA"),
        "any other object": lambda _: client([[0, 1], [1, 0]]),
    },
    "predict": {
        "file": lambda folder: predict(folder, PNG),
        "file of more bytes than allowed": lambda folder: predict(folder, bytes(11_000_000)),
        "directory, pipe or device": lambda _: read_picture("/dev/zero", 1000),
    },
}


def test_every_row_of_the_page_is_tried_and_everything_tried_has_a_row() -> None:
    assert [row[:2] for row in ROWS] == [(channel, what) for channel, cases in CASES.items() for what in cases]


@pytest.mark.parametrize("row", ROWS, ids=[f"{channel}: {what}" for channel, what, *_ in ROWS])
def test_what_comes_in_has_the_outcome_that_the_page_names(row: tuple[str, ...], tmp_path: Path) -> None:
    channel, what, outcome, _ = row
    assert outcome_of(CASES[channel][what], tmp_path) == outcome


def outcome_of(case: Callable[[Path], Gray], folder: Path) -> str:
    try:
        digit = case(folder)
    except Exception as error:  # noqa: BLE001 — the page names which one
        return f"`{type(error).__name__}`"
    return "read" if likeness(digit, REFERENCE) > 0.93 else "read as something else"
