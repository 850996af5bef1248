"""What headers announce: the same as Pillow finds, and nothing for what is no picture."""

from io import BytesIO

import pytest
from PIL import Image, features

from core.imaging import effort
from core.imaging.announced import MOST_SEGMENTS, announced
from core.imaging.decode import PictureLimits
from core.imaging.effort import FRAMED, REFUSED

KINDS = [
    *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
    *(("BMP", mode) for mode in ("1", "L", "RGB", "RGBA")),
    *(("TIFF", mode) for mode in ("1", "L", "RGB", "RGBA", "I;16", "F")),
    *(("PPM", mode) for mode in ("1", "L", "RGB")),
    *(("WEBP", mode) for mode in ("RGB", "RGBA")),
    ("GIF", "P"),
    *([("AVIF", "RGB")] if features.check("avif") else []),
]


def written(kind: str, mode: str, size: tuple[int, int] = (300, 200), **options: object) -> bytes:
    buffer = BytesIO()
    Image.new(mode, size).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "mode"), KINDS)
def test_the_header_of_every_kind_gives_the_size_that_pillow_finds(kind: str, mode: str) -> None:
    data = written(kind, mode)
    found = announced(data)
    assert found is not None
    assert (found.kind, found.width, found.height) == (kind, 300, 200)
    with Image.open(BytesIO(data)) as picture:
        assert found.samples >= len(picture.getbands())


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\0\0" + b"MM\0*\0\0\0\x08\0\0\0\0\0\0"}])
def test_the_other_headers_of_a_webp_are_read_too(options: dict[str, object]) -> None:
    found = announced(written("WEBP", "RGB", **options))
    assert found is not None
    assert (found.width, found.height) == (300, 200)


def test_the_size_of_a_jpeg_is_found_behind_a_thumbnail_of_another_size() -> None:
    thumbnail = written("JPEG", "RGB", (16, 12))
    data = written("JPEG", "RGB", exif=b"Exif\0\0" + thumbnail, progressive=True)
    assert announced(data) == ("progressive JPEG", 300, 200, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        *(written(kind, "RGB" if kind != "GIF" else "P")[:7] for kind in ("PNG", "JPEG", "GIF", "BMP", "PPM")),
        b"\xff\xd8\xff\xe0\x00\x02" + b"\xff" * 100,
        b"\xff\xd8" + b"\xff\xe0\x00\x02" * (MOST_SEGMENTS + 1) + written("JPEG", "L")[2:],
        b"II*\x00\xff\xff\xff\xff",
        b"\x89PNG\r\n\x1a\n" + bytes(30),
        b"RIFF\0\0\0\0WEBPVP8?" + bytes(20),
        b"P6 " + b"9" * 1000,
        b"\0\0\0\x1cftypavif" + bytes(100),
    ],
)
def test_bytes_without_a_whole_header_announce_nothing_and_cost_nothing(data: bytes) -> None:
    assert announced(data) is None
    assert effort(data) == REFUSED


def test_a_picture_costs_what_its_header_announces_however_small_its_file() -> None:
    costs = [effort(written("PNG", mode, (side, side))) for mode, side in (("L", 28), ("RGB", 2000), ("RGB", 5200))]
    assert costs == sorted(costs)
    assert costs[0] < 1.1 * FRAMED
    assert costs[-1] > 50 * costs[0]


def test_a_picture_beyond_the_limits_costs_nothing_as_it_is_refused() -> None:
    data = written("PNG", "L", (200, 100))
    assert effort(data, PictureLimits(max_pixels=20_000)) > REFUSED
    assert effort(data, PictureLimits(max_pixels=19_999)) == REFUSED
    assert effort(data, PictureLimits(max_bytes=len(data) - 1)) == REFUSED
