"""A picture in any of the forms that a user may have, as the field of a message."""

from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol

from core.errors import NumeralError, PictureTooLargeError, PictureUnreadableError
from core.picture_file import read_picture
from service.client.failures import ArgumentError, MissingFileError, PictureFileError
from service.texts import quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    class BinaryFile(Protocol):
        """An open file whose bytes are an encoded picture, such as a BytesIO."""

        def read(self, size: int, /) -> bytes:
            """At most `size` bytes."""

    class ArrayLike(Protocol):
        """An object that NumPy can make an array of, such as a tensor of another library."""

        def __array__(self) -> NDArray[Any]:
            """The array."""

    Picture = str | PathLike[str] | bytes | bytearray | memoryview | BinaryFile | Image | NDArray[Any] | ArrayLike

__all__ = ["LARGEST_FILE", "picture_field"]

LARGEST_FILE = 256 * 1024 * 1024
"""Bytes of the largest file that is read. Servers usually accept less, and say how much."""

LONGEST_NAME = 255
"""Characters of a path that an error repeats."""


def picture_field(picture: "Picture") -> dict[str, Any]:
    """A picture as the field of a message: `pixels` for an array (28, 28), else `encoded`.

    Raises:
        PictureUnreadableError: It is an array or a Pillow image of no picture, or text in place of a path.
        PictureTooLargeError: The file is too large.
        PictureFileError: The file cannot be read, or is no regular file.
        ArgumentError: It is none of the forms of a picture.
    """
    if isinstance(picture, bytes | bytearray | memoryview):
        return {"encoded": bytes(picture)}
    if isinstance(picture, str | PathLike):
        return {"encoded": _content(picture)}
    if hasattr(picture, "read"):
        return {"encoded": _rest_of(picture)}
    # Looked for in the class, because a Pillow image would be decoded by a look at its own attribute.
    if not any(hasattr(type(picture), name) for name in ("__array__", "__array_interface__")):
        raise ArgumentError(
            "a picture is a path, bytes, an open binary file, a Pillow image or an array, found "
            + ("None" if picture is None else type(picture).__name__)
        )
    try:
        return _drawn(picture)
    except (NumeralError, MemoryError):
        raise
    except Exception as error:  # Pillow, and objects with `__array__`, raise almost any class
        reason = quoted(str(error) or type(error).__name__)
        raise PictureUnreadableError(f"{type(picture).__name__}: no picture can be made of it: {reason}") from error


def _drawn(picture: Any) -> dict[str, Any]:
    """A Pillow image, an array, or anything that NumPy can make an array of."""
    # Imported here, so that a client that sends files starts faster.
    import numpy as np
    from PIL.Image import Image

    from core.imaging import FRAMING, encoded, levels, one_picture

    if isinstance(picture, Image):
        if 0 in picture.size:
            width, height = picture.size
            raise PictureUnreadableError(f"picture: {width} × {height} pixels; it is empty")
        return {"encoded": encoded(picture)}
    array: NDArray[Any] = one_picture(np.asarray(picture))
    if array.shape == (FRAMING.size, FRAMING.size):
        return {"pixels": levels(array[np.newaxis]).tobytes()}
    return {"encoded": encoded(array)}


def _content(path: str | PathLike[str]) -> bytes:
    try:
        return read_picture(path, LARGEST_FILE)
    except (OSError, ValueError, TypeError) as error:
        from core.imaging.kinds import IN_PLACE_OF_A_PATH, kind_of  # imported here for the same reason

        name = str(path)
        kind = kind_of(name.encode("utf-8", "replace"))
        if kind is not None and kind in IN_PLACE_OF_A_PATH:
            raise PictureUnreadableError(f"a path is expected, {quoted(name)} is {kind.name}; {kind.step}") from None
        raise _file_error(error, name) from error


def _rest_of(file: Any) -> bytes:
    """What an open file holds from where it stands."""
    try:
        data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise _file_error(error, str(getattr(file, "name", type(file).__name__))) from error
    except Exception as error:  # a closed file raises ValueError, and other objects with `read` anything
        raise ArgumentError(f"{type(file).__name__}: cannot be read as a file: {quoted(str(error))}") from error
    if not isinstance(data, bytes | bytearray | memoryview):
        step = "open it in binary mode, as open(path, 'rb') does"
        raise ArgumentError(f"{type(file).__name__}: its read() gives {type(data).__name__}, expected bytes; {step}")
    if len(data) > LARGEST_FILE:
        raise PictureTooLargeError(f"{type(file).__name__}: more than {LARGEST_FILE:,} bytes, which no server accepts")
    return bytes(data)


def _file_error(error: Exception, name: str) -> PictureFileError:
    """The error of the operating system, as one of the client."""
    if not isinstance(error, OSError) or error.errno is None:  # such as a path with a null character
        return PictureFileError(f"cannot read {quoted(name)}: {error}")
    kind = MissingFileError if isinstance(error, FileNotFoundError) else PictureFileError
    return kind(error.errno, error.strerror, name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…")
