import base64
import io
import tarfile
import zipfile

import numpy as np
import pytest

from core.errors import PictureUnreadableError
from core.imaging import decode
from core.imaging.kinds import kind_of
from tests.core.imaging.drawn import encoded, on_white

PNG = encoded(on_white())


def ftyp(brand: str) -> bytes:
    return b"\x00\x00\x00\x18ftyp" + brand.encode() + bytes(4) + b"mif1heic" + bytes(200)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("one.png", PNG)
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("one.png")
        member.size = len(PNG)
        archive.addfile(member, io.BytesIO(PNG))
    return file.getvalue()


def saved() -> bytes:
    file = io.BytesIO()
    np.save(file, on_white())
    return file.getvalue()


REFUSED = {
    "base64 text": (base64.b64encode(PNG), "base64.b64decode(text)"),
    "base64 text in lines": (base64.encodebytes(encoded(on_white(), "JPEG")), "base64.b64decode(text)"),
    "a data: URL": (b"data:image/png;base64," + base64.b64encode(PNG), "base64.b64decode(url.partition(',')[2])"),
    "an SVG drawing": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "export it as PNG or JPEG"),
    "an SVG drawing behind its prolog": (
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- drawn -->\n<svg xmlns='http://www.w3.org/2000/svg'/>",
        "export it as PNG or JPEG",
    ),
    "a HEIC photo": (ftyp("heic"), "save it as PNG or JPEG"),
    "a HEIF photo": (ftyp("mif1"), "save it as PNG or JPEG"),
    "a Windows icon (ICO)": (encoded(on_white(), "ICO"), "save it as PNG or JPEG"),
    "a PDF document": (encoded(on_white(), "PDF"), "save the page as PNG or JPEG"),
    "a Photoshop document (PSD)": (b"8BPS\x00\x01" + bytes(20), "export it as PNG or JPEG"),
    "a JPEG 2000": (encoded(on_white(), "JPEG2000"), "save it as PNG or JPEG"),
    "a PostScript file": (encoded(on_white(), "EPS"), "export it as PNG or JPEG"),
    "a camera raw file": (ftyp("crx "), "develop it"),
    "a camera raw file of Canon": (b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(20), "develop it"),
    "a web page (HTML)": (b"\n<!DOCTYPE html><html><svg></svg></html>", "send the picture itself"),
    "a web address": (b"https://example.org/seven.png\n", "fetch the picture"),
    "JSON": (b'{"image": "iVBORw0KGgo="}', "decode the picture in it"),
    "a ZIP archive": (zipped(), "unpack it"),
    "a tar archive": (tarred(), "unpack it"),
    "a video (MP4, MOV)": (ftyp("isom"), "save the frame"),
    "a video (WebM, Matroska)": (b"\x1aE\xdf\xa3" + bytes(20), "save the frame"),
    "a NumPy array file": (saved(), "numpy.load"),
    "text": (b"hello, world", "send the bytes of the picture's file"),
    "text in UTF-16": ("Größe: 7".encode("utf-16"), "send the bytes of the picture's file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused_with_its_kind_what_is_read_and_the_next_step(name: str) -> None:
    data, step = REFUSED[name]
    with pytest.raises(PictureUnreadableError, match="^not a picture that can be read: ") as caught:
        decode(data)
    kind = kind_of(data)
    assert kind is not None
    assert name.startswith(kind.name) or kind.name.startswith(name)
    assert f"{len(data):,} bytes that begin like {kind.name}; expected PNG, JPEG, GIF, BMP, WEBP, TIFF" in str(
        caught.value
    )
    assert step in str(caught.value)


@pytest.mark.parametrize("data", [b"", bytes(784), b"\x01\x02\x03\x04", b"\xff\xfe\xfd" * 9, PNG[1:]])
def test_bytes_of_no_known_kind_have_none(data: bytes) -> None:
    assert kind_of(data) is None


def test_a_text_that_is_cut_within_a_letter_is_still_text() -> None:
    kind = kind_of(("ä" * 5000).encode())
    assert kind is not None
    assert kind.name == "text"
