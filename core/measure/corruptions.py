"""What pictures go through before they reach the network, at strengths that users meet: how much of it is borne?

MNIST is tidy: one scanner, every digit centered, one kind of pen. What people draw and photograph is not. Each
corruption changes one thing and leaves almost every digit readable to people, so that what is then read wrong is the
network's failure. The strengths stay as they are from version to version, and nothing is random but the noise, whose
seed is fixed: so versions can be compared (the idea, for photographs, is that of Hendrycks & Dietterich 2019).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.data.augment import Noise, gaussian, spread
from core.data.geometry import Geometry
from core.measure.evaluate import Accuracy

Images = NDArray[np.uint8]
"""(N, 28, 28), 0 background to 255 ink."""


def rotate(images: Images, *, degrees: float) -> Images:
    """Turn counterclockwise about the middle of the frame, each pixel interpolated between the four that it comes from.

    Args:
        images: (N, 28, 28) uint8.
        degrees: The angle; negative turns clockwise.
    """
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = Geometry(*images.shape)
    # Where (row, column) comes from, which is where the turn back, clockwise, takes it: rows count downward.
    turn.A = np.broadcast_to(np.array([[cos, sin], [-sin, cos]], np.float32), (len(images), 2, 2))
    return _pixels(turn.apply(images))


def shift(images: Images, *, down: int = 0, right: int = 0) -> Images:
    """Move by whole pixels; what leaves the frame is lost, what enters is background.

    Digits fill a box of 20 × 20 about the middle of the frame, so 3 pixels lose almost no ink: only the place changes.
    Dense layers tie every weight to a place, convolutions do not.
    """
    reach = max(abs(down), abs(right))
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach)))
    size = images.shape[-1]
    return padded[:, reach - down : reach - down + size, reach - right : reach - right + size]


def noise(images: Images, *, std: float, seed: int = 0) -> Images:
    """Add normal noise, independent from pixel to pixel, and cut at 0 and 255: the grain of a photo in dim light.

    Args:
        images: (N, 28, 28) uint8.
        std: Standard deviation, in pixel units.
        seed: Of the noise: the same images always get the same.
    """
    grainy = images.astype(np.float32)
    Noise(std=std).change(grainy, np.random.default_rng(seed))
    return _pixels(grainy)


def blur(images: Images, *, sigma: float) -> Images:
    """Convolve with a Gaussian of this standard deviation in pixels, on background without end: a lens out of focus.

    A Gaussian is the product of one along the rows and one along the columns, and each of these is a matrix.
    """
    K = gaussian(images.shape[-1], sigma)  # (28, 28), symmetric
    return _pixels(K @ images.astype(np.float32) @ K)


def thin(images: Images) -> Images:
    """Halfway to an erosion: the mean of each image and of the least of the 3 × 3 pixels around each. A fine pen.

    The whole erosion would break strokes, which are 2 to 4 pixels wide; half of it leaves every line standing, paler
    and about a pixel narrower.
    """
    return _pixels((images.astype(np.float32) + spread(images, np.minimum)) / 2)


def thicken(images: Images) -> Images:
    """A dilation: the greatest of the 3 × 3 pixels around each. A marker: strokes grow by a pixel on either side."""
    return spread(images, np.maximum)


@dataclass(frozen=True)
class Corruption:
    """One thing that happens to pictures.

    Attributes:
        description: What, and how strongly: "shifted up by 3 pixels".
        apply: Makes corrupted images of images, as a new array; the same of the same.
    """

    description: str
    apply: Callable[[Images], Images]


CORRUPTIONS: dict[str, Corruption] = {
    # As far as people's slant, or a phone held askew, goes; with more, 7 and 1, 4 and 9 begin to be doubtful.
    "rotate_left": Corruption("turned left by 15 degrees", partial(rotate, degrees=15)),
    "rotate_right": Corruption("turned right by 15 degrees", partial(rotate, degrees=-15)),
    # About as far as a digit of MNIST can go within its frame: drawn beside the middle, or cut out by another program.
    "shift_up": Corruption("shifted up by 3 pixels", partial(shift, down=-3)),
    "shift_down": Corruption("shifted down by 3 pixels", partial(shift, down=3)),
    "shift_left": Corruption("shifted left by 3 pixels", partial(shift, right=-3)),
    "shift_right": Corruption("shifted right by 3 pixels", partial(shift, right=3)),
    # A sixth of the range from paper to ink: grain that is plain to see, below half of even a pale stroke.
    "noise": Corruption("normal noise, standard deviation 40 of 255", partial(noise, std=40)),
    # A third of a pen stroke's width: soft to the eye, with the holes of 6, 8 and 9 still open.
    "blur": Corruption("Gaussian blur, standard deviation 1 pixel", partial(blur, sigma=1)),
    "thin": Corruption("thin strokes, halfway to an erosion", thin),
    "thick": Corruption("thick strokes, a dilation by 1 pixel", thicken),
}


def robustness(
    read: Callable[[Images], NDArray[np.floating]], images: Images, labels: NDArray[np.integer]
) -> dict[str, Accuracy]:
    """How many images are still read right under each corruption.

    Args:
        read: Gives (N, K) for (N, 28, 28) uint8, the greatest of a row being the class that is read: logits or
            probabilities.
        images: (N, 28, 28) uint8, N at least 1.
        labels: (N,), the true classes.

    Returns:
        One entry for each of `CORRUPTIONS`, in its order.
    """
    return {
        name: Accuracy.of(read(corruption.apply(images)).argmax(axis=1) == labels)
        for name, corruption in CORRUPTIONS.items()
    }


def _pixels(values: NDArray[np.floating]) -> Images:
    """To the nearest of 0 … 255."""
    pixels: Images = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return pixels
