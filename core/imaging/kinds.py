"""What kind of file some bytes are, by how they begin: so that a refusal can say what was sent, and what to send."""

import re
from dataclasses import dataclass

__all__ = ["IN_PLACE_OF_A_PATH", "Kind", "kind_of"]


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: What it is called, with its article.
        step: What its owner may do to have it read; "" if nothing.
    """

    name: str
    step: str = ""


_SAVE = "save it as PNG or JPEG"
_EXPORT = "export it as PNG or JPEG"
_UNPACK = "unpack it, and send the pictures in it one by one"
_FRAME = "save the frame that shows the digit as PNG or JPEG"
_FETCH = "send the picture itself instead of the page around it"
_DEVELOP = "develop it, or save it as JPEG in the camera"
_TIFF = "many camera raw files begin so as well: save it as PNG or JPEG"

SIGNATURES: tuple[tuple[int, bytes, Kind], ...] = (
    # What is read, for a message about a damaged one.
    (0, b"\x89PNG", Kind("a PNG")),
    (0, b"\xff\xd8\xff", Kind("a JPEG")),
    (0, b"GIF8", Kind("a GIF")),
    (8, b"WEBP", Kind("a WebP")),
    (4, b"ftypavif", Kind("an AVIF")),
    (4, b"ftypavis", Kind("an AVIF")),
    (8, b"CR\x02\x00", Kind("a camera raw file", _DEVELOP)),
    (0, b"II*\x00", Kind("a TIFF", _TIFF)),
    (0, b"MM\x00*", Kind("a TIFF", _TIFF)),
    # Pictures of other kinds.
    *((4, b"ftyp" + brand, Kind("a HEIC photo", _SAVE)) for brand in (b"heic", b"heix", b"heim", b"heis", b"hev")),
    (4, b"ftypmif1", Kind("a HEIF photo", _SAVE)),
    (4, b"ftypmsf1", Kind("a HEIF photo", _SAVE)),
    (4, b"ftypcrx", Kind("a camera raw file", _DEVELOP)),
    *(
        (0, start, Kind("a camera raw file", _DEVELOP))
        for start in (b"FUJIFILM", b"IIU\x00", b"IIRO", b"IIRS", b"MMOR")
    ),
    *((0, start, Kind("a camera raw file", _DEVELOP)) for start in (b"FOVb", b"\x00MRM")),
    (0, b"\x00\x00\x01\x00", Kind("a Windows icon (ICO)", _SAVE)),
    (0, b"\x00\x00\x02\x00", Kind("a Windows cursor (CUR)", _SAVE)),
    (0, b"icns", Kind("a macOS icon (ICNS)", _SAVE)),
    (0, b"8BPS", Kind("a Photoshop document (PSD)", _EXPORT)),
    (0, b"gimp xcf", Kind("a GIMP document (XCF)", _EXPORT)),
    (4, b"jP  \r\n\x87\n", Kind("a JPEG 2000", _SAVE)),
    (0, b"\xff\x4f\xff\x51", Kind("a JPEG 2000", _SAVE)),
    (0, b"\xff\x0a", Kind("a JPEG XL", _SAVE)),
    (4, b"JXL \r\n\x87\n", Kind("a JPEG XL", _SAVE)),
    (0, b"II\xbc", Kind("a JPEG XR", _SAVE)),
    (0, b"qoif", Kind("a QOI", _SAVE)),
    (0, b"AT&TFORM", Kind("a DjVu document", _EXPORT)),
    (0, b"SIMPLE  =", Kind("a FITS file", _SAVE)),
    (128, b"DICM", Kind("a DICOM file", _EXPORT)),
    (0, b"%!PS", Kind("a PostScript file", _EXPORT)),
    (0, b"\xc5\xd0\xd3\xc6", Kind("a PostScript file", _EXPORT)),
    (0, b"\xd7\xcd\xc6\x9a", Kind("a Windows metafile (WMF)", _EXPORT)),
    (40, b" EMF", Kind("a Windows metafile (EMF)", _EXPORT)),
    # Video and sound.
    (4, b"ftyp", Kind("a video (MP4, MOV)", _FRAME)),
    (4, b"moov", Kind("a video (MOV)", _FRAME)),
    (0, b"\x1aE\xdf\xa3", Kind("a video (WebM, Matroska)", _FRAME)),
    (8, b"AVI ", Kind("a video (AVI)", _FRAME)),
    (0, b"\x00\x00\x01\xba", Kind("a video (MPEG)", _FRAME)),
    (0, b"\x00\x00\x01\xb3", Kind("a video (MPEG)", _FRAME)),
    (0, b"FLV", Kind("a video (FLV)", _FRAME)),
    (0, b"OggS", Kind("an Ogg file (video or sound)", _FRAME)),
    (8, b"WAVE", Kind("a sound file (WAV)")),
    (0, b"ID3", Kind("a sound file (MP3)")),
    (0, b"fLaC", Kind("a sound file (FLAC)")),
    # Documents and archives.
    (0, b"%PDF", Kind("a PDF document", "save the page as PNG or JPEG")),
    (0, b"PK\x03\x04", Kind("a ZIP archive or an office document", _UNPACK)),
    (0, b"\x1f\x8b", Kind("a gzip file", "unpack it first")),
    (0, b"BZh", Kind("a bzip2 file", "unpack it first")),
    (0, b"\xfd7zXZ", Kind("an xz file", "unpack it first")),
    (0, b"\x28\xb5\x2f\xfd", Kind("a Zstandard file", "unpack it first")),
    (0, b"7z\xbc\xaf", Kind("a 7z archive", _UNPACK)),
    (0, b"Rar!", Kind("a RAR archive", _UNPACK)),
    (257, b"ustar", Kind("a tar archive", _UNPACK)),
    (0, b"\xd0\xcf\x11\xe0", Kind("an office document", _EXPORT)),
    (0, b"\x93NUMPY", Kind("a NumPy array file", "load it with numpy.load, and send the array")),
    (0, b"\x89HDF", Kind("an HDF5 file", "read the array in it, and send that")),
    (0, b"\x00\x00\x08\x03", Kind("an IDX file such as MNIST's", "send the images in it one by one")),
    (0, b"version https://git-lfs", Kind("a Git LFS pointer", "fetch the file itself: git lfs pull")),
    (0, b"\x7fELF", Kind("a program")),
    (0, b"BM", Kind("a BMP")),
    (0, b"MZ", Kind("a program")),
)
"""How files begin: an offset, the bytes there, and the kind. The first row that matches counts."""

_DATA_URL = Kind("a data: URL", "decode what follows its comma: base64.b64decode(url.partition(',')[2])")
_BASE64_TEXT = Kind("base64 text", "decode it first: base64.b64decode(text)")
_ADDRESS = Kind("a web address", "fetch the picture, and send its bytes")

IN_PLACE_OF_A_PATH = frozenset([_DATA_URL, _BASE64_TEXT, _ADDRESS])
"""What people pass where the path of a picture is expected."""

# How base64 begins if it holds a PNG, JPEG, GIF, WebP, BMP or TIFF.
_BASE64 = re.compile(rb"\s*(iVBORw0KGg|/9j/|R0lGOD|UklGR|Qk[0-3]|SUkqA|TU0AK)[A-Za-z0-9+/_=\s-]*$")

_LOOKED_AT = 4096  # bytes from which a text is recognized


def kind_of(data: bytes) -> Kind | None:
    """The kind of a file, by how it begins; None if it is not known."""
    for offset, signature, kind in SIGNATURES:
        if data.startswith(signature, offset):
            return kind
    start = data[:_LOOKED_AT]
    if _BASE64.match(start):
        return _BASE64_TEXT
    text = _text(start)
    return _text_kind(text) if text else None


def _text(start: bytes) -> str:
    """The text that a file begins with, from its first letter; "" if it begins with anything but text."""
    encoding = "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    text = start.decode(encoding, errors="ignore").strip()
    legible = all(character.isprintable() or character.isspace() for character in text)
    # What is no text loses most of its bytes when it is decoded so.
    return text if legible and len(text.encode(encoding)) >= 0.9 * len(start.strip()) else ""


def _text_kind(text: str) -> Kind:
    begin = text.lower()
    if begin.startswith("data:"):
        return _DATA_URL
    if begin.startswith(("http://", "https://")) and len(begin.split()) == 1:
        return _ADDRESS
    if begin.startswith(("<!doctype html", "<html", "<head", "<body")):
        return Kind("a web page (HTML)", _FETCH)
    if begin.startswith("<") and "<svg" in begin:
        return Kind("an SVG drawing", _EXPORT)
    if begin.startswith("<?xml"):
        return Kind("an XML file", _FETCH)
    if begin.startswith(("{", "[")):
        return Kind("JSON", "decode the picture in it, and send its bytes")
    return Kind("text", "send the bytes of the picture's file itself")
