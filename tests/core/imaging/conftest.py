import gzip
import io
import struct
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageDraw, ImageFilter

from core.errors import NoDigitError, PictureError, PictureTooLargeError, PictureUnreadableError
from core.imaging import (
    FRAMING,
    PictureLimits,
    decode,
    digit_from_bytes,
    from_array,
    from_pixels,
    to_digit,
)
from core.imaging.components import components
from core.imaging.morphology import closing, dilation
from core.imaging.strokes import distance

from .drawn import Gray, mnist_test_images

@pytest.fixture(scope="package")
def mnist() -> Gray:
    """MNIST's 10,000 test images, (N, 28, 28)."""
    return mnist_test_images()
