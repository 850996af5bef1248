"""Corruptions: how well images are classified after the kinds of change that users' pictures show.

MNIST is tidy: one scanner, every digit centered, one kind of pen. What people draw and photograph is not. Each
corruption changes one thing and leaves almost every digit readable to people, so a misread digit is the network's
failure. The strengths are the same for all versions, and only the noise is random, with a fixed seed, so that versions
can be compared. (The idea, for photographs, is that of Hendrycks & Dietterich 2019.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.data.augment import Noise
from core.data.filters import extreme_around, gaussian
from core.data.geometry import Geometry
from core.measure.evaluate import Accuracy

Images = NDArray[np.uint8]
"""(N, 28, 28), 0 background to 255 ink."""


def rotate(images: Images, *, degrees: float) -> Images:
    """Rotate counterclockwise about the center of the frame, with bilinear interpolation.

    Args:
        images: (N, 28, 28) uint8.
        degrees: The angle; negative turns clockwise.
    """
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = Geometry(*images.shape)
    # The source of (row, column) is where the inverse, clockwise rotation takes it; rows count downward.
    turn.A = np.broadcast_to(np.array([[cos, sin], [-sin, cos]], np.float32), (len(images), 2, 2))
    return _pixels(turn.apply(images))


def shift(images: Images, *, down: int = 0, right: int = 0) -> Images:
    """Shift by whole pixels; what leaves the frame is lost, what enters is background.

    Digits fill a box of 20 × 20 at the center of the frame, so 3 pixels lose almost no ink: only the position changes.
    Dense layers tie every weight to a position, convolutions do not.

    Args:
        images: (N, 28, 28) uint8.
        down: Pixels; negative shifts up.
        right: Pixels; negative shifts left.
    """
    reach = max(abs(down), abs(right))
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach)))
    size = images.shape[-1]
    return padded[:, reach - down : reach - down + size, reach - right : reach - right + size]


def noise(images: Images, *, std: float, seed: int = 0) -> Images:
    """Add independent normal noise to each pixel, clipped to 0 … 255: the grain of a photo in dim light.

    Args:
        images: (N, 28, 28) uint8.
        std: Standard deviation, in pixel units.
        seed: Of the noise; the same images always get the same noise.
    """
    grainy = images.astype(np.float32)
    Noise(std=std).change(grainy, np.random.default_rng(seed))
    return _pixels(grainy)


def blur(images: Images, *, sigma: float) -> Images:
    """Convolve with a Gaussian, as a lens out of focus does; beyond the frame, everything is background.

    A Gaussian is separable: a product with a matrix along the rows and one along the columns.

    Args:
        images: (N, 28, 28) uint8.
        sigma: Its standard deviation, in pixels.
    """
    K = gaussian(images.shape[-1], sigma)  # (28, 28), symmetric
    return _pixels(K @ images.astype(np.float32) @ K)


def thin(images: Images) -> Images:
    """Half an erosion, like a fine pen: the mean of each image and of the smallest of the 3 × 3 pixels around each.

    A whole erosion would break strokes, which are 2 to 4 pixels wide; half of it leaves every line intact, paler and
    about a pixel narrower.
    """
    return _pixels((images.astype(np.float32) + extreme_around(images, np.minimum)) / 2)


def thicken(images: Images) -> Images:
    """A dilation, like a marker: the largest of the 3 × 3 pixels around each; strokes grow by a pixel on each side."""
    return extreme_around(images, np.maximum)


@dataclass(frozen=True)
class Corruption:
    """One thing that happens to pictures.

    Attributes:
        description: The kind of change and its strength, e.g. "shifted up by 3 pixels".
        apply: From images to corrupted images, a new array; the same input always gives the same output.
    """

    description: str
    apply: Callable[[Images], Images]


CORRUPTIONS: dict[str, Corruption] = {
    # About as far as a slanted hand or a tilted phone goes; beyond it, 7 and 1, 4 and 9 become ambiguous.
    "rotate_left": Corruption("turned left by 15 degrees", partial(rotate, degrees=15)),
    "rotate_right": Corruption("turned right by 15 degrees", partial(rotate, degrees=-15)),
    # About as far as a digit of MNIST can move within its frame, as in a picture that another program has cropped.
    "shift_up": Corruption("shifted up by 3 pixels", partial(shift, down=-3)),
    "shift_down": Corruption("shifted down by 3 pixels", partial(shift, down=3)),
    "shift_left": Corruption("shifted left by 3 pixels", partial(shift, right=-3)),
    "shift_right": Corruption("shifted right by 3 pixels", partial(shift, right=3)),
    # A sixth of the range from paper to ink: clearly visible grain, less than half the level of even a pale stroke.
    "noise": Corruption("normal noise, standard deviation 40 of 255", partial(noise, std=40)),
    # A third of the width of a stroke: visibly soft, with the holes of 6, 8 and 9 still open.
    "blur": Corruption("Gaussian blur, standard deviation 1 pixel", partial(blur, sigma=1)),
    "thin": Corruption("thin strokes, halfway to an erosion", thin),
    "thick": Corruption("thick strokes, a dilation by 1 pixel", thicken),
}


def robustness(
    read: Callable[[Images], NDArray[np.floating]], images: Images, labels: NDArray[np.integer]
) -> dict[str, Accuracy]:
    """The accuracy under each corruption.

    Args:
        read: From (N, 28, 28) uint8 to logits or probabilities (N, K); the largest of a row is the predicted class.
        images: (N, 28, 28) uint8, N at least 1.
        labels: (N,), the true classes.

    Returns:
        An accuracy for each of `CORRUPTIONS`, in its order.
    """
    return {
        name: Accuracy.of(read(corruption.apply(images)).argmax(axis=1) == labels)
        for name, corruption in CORRUPTIONS.items()
    }


def _pixels(values: NDArray[np.floating]) -> Images:
    """Rounded to the nearest of 0 … 255."""
    pixels: Images = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return pixels
