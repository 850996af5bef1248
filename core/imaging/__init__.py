"""Any user's picture → the 28×28 digit that a network trained on MNIST expects.

    bytes ──decode──▶ upright picture ──gray──▶ (H, W) ──paper, ruling, ink──▶ strokes ──framing──▶ (28, 28)
    array ──modes──────────▲
    framed images, 784 numbers each ──framed──▶ (N, 28, 28)

Each step is a module here, and each is deterministic and without state. Earlier framings are kept in folders of their
own (`first`), so that a published version sees a picture as it always did. All failures are
`core.errors.PictureError`s.
"""

from core.imaging.decode import PictureLimits, decode
from core.imaging.effort import effort
from core.imaging.encode import encoded
from core.imaging.framed import Corrected, as_framed, corrected, levels
from core.imaging.framing import FRAMING, LATEST, Framing, framing_version
from core.imaging.modes import one_picture
from core.imaging.picture import digit_from_bytes, from_array, from_pixels, to_digit

__all__ = [
    "FRAMING",
    "LATEST",
    "Corrected",
    "Framing",
    "PictureLimits",
    "as_framed",
    "corrected",
    "decode",
    "digit_from_bytes",
    "effort",
    "encoded",
    "framing_version",
    "from_array",
    "from_pixels",
    "levels",
    "one_picture",
    "to_digit",
]
