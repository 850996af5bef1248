"""The picture in the body of a request: an encoded one, or the pixels that a network sees."""

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request

from core.digit import PIXELS, SIDE
from core.errors import PictureUnreadableError

__all__ = ["PIXELS_TYPE", "picture_in"]

PIXELS_TYPE = "application/x-numeral-pixels"
"""The media type of exactly 784 bytes: 28 rows of 28 pixels, 0 background to 255 ink."""

ENCODED_TYPES = ("image/", "application/octet-stream")
"""How the media types of encoded pictures begin. Browsers know none for some files, such as HEIC photos.

None of these is a type that a page of another site may send without asking first, so no such page can send feedback in
the name of a visitor (https://fetch.spec.whatwg.org/#cors-safelisted-request-header).
"""


async def picture_in(request: Request) -> bytes | NDArray[np.uint8]:
    """The bytes of an encoded picture; or a framed image, (28, 28) uint8.

    Raises:
        PictureUnreadableError: The media type is none of a picture, or there are not 784 pixels.
        ClientDisconnect: The client has gone.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != PIXELS_TYPE and not kind.startswith(ENCODED_TYPES):
        raise PictureUnreadableError(
            f"the request has no picture in it: expected image/png, image/jpeg, … or {PIXELS_TYPE}"
        )
    body = await request.body()  # whose size is limited before it gets here
    if kind != PIXELS_TYPE:
        return body
    if len(body) != PIXELS:
        raise PictureUnreadableError(f"{len(body):,} pixels, expected {PIXELS}: {SIDE} rows of {SIDE}")
    return np.frombuffer(body, np.uint8).reshape(SIDE, SIDE)
