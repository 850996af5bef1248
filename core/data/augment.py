"""Augmentation: every time an image is shown it is changed a little, in ways that leave its digit the same.

A network that has seen sevens in a thousand positions learns that the position does not matter (Simard, Steinkraus &
Platt 2003: "the most important practice is getting a training set as large as possible").

Geometric transforms define where each pixel comes from, and combine into one map (core/data/geometry.py), so that an
image is interpolated once, however many of them a recipe lists. The pixelwise transforms change pixels in place; they
follow, in the recipe's order.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import radians
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from core.data.filters import extreme_around, gaussian
from core.data.geometry import CHUNK, Geometry
from core.digit import SIDE
from core.errors import ConfigError
from core.registry import construct

Images = NDArray[np.float32]
Limits = Mapping[str, tuple[float, float]]
Augmenter = Callable[[NDArray[np.uint8], np.random.Generator], Images]
"""(uint8 (N, H, W), rng) → float32 (N, H, W), 0 to 255, a new array."""


@dataclass(frozen=True, kw_only=True)
class Transform(ABC):
    """One way in which images are changed, by an amount that is drawn anew for each image.

    Attributes:
        kind: The name under which recipes know it.
        limits: The smallest and the largest value of each of its own options.
        probability: With which probability it is applied to an image, 0 to 1.
    """

    kind: ClassVar[str]
    limits: ClassVar[Limits]
    probability: float = 1.0

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        for option, (least, most) in {"probability": (0, 1), **self.limits}.items():
            value = getattr(self, option)
            is_number = isinstance(value, Real) and not isinstance(value, bool)
            if not (is_number and least <= value <= most):  # false for NaN as well
                raise ConfigError(f"{self.kind}: {option} = {value!r}, expected a number from {least} to {most}")

    def _amounts(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Images:
        """Uniform from −1 to 1, one row per image; 0 for the images that are not to be changed."""
        return self._spare(rng.uniform(-1, 1, shape).astype(np.float32), rng)

    def _spare(self, changes: Images, rng: np.random.Generator) -> Images:
        """Set the changes to 0 for the images that are not to be changed, one row of `changes` per image."""
        if self.probability < 1:
            changes[rng.random(len(changes)) >= self.probability] = 0
        return changes


class Geometric(Transform):
    """A transform that moves pixels."""

    @abstractmethod
    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """Combine this transform with those already in `geometry`."""


class Pixelwise(Transform):
    """A transform that changes the values of pixels."""

    @abstractmethod
    def change(self, images: Images, rng: np.random.Generator) -> None:
        """Change (N, H, W), 0 to 255, in place."""


@dataclass(frozen=True, kw_only=True)
class Rotate(Geometric):
    """Rotation about the center by an angle up to ±`degrees`."""

    kind: ClassVar[str] = "rotate"
    limits: ClassVar[Limits] = {"degrees": (0, 180)}
    degrees: float = 10.0

    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """A ← A [[cos φ, −sin φ], [sin φ, cos φ]]."""
        angle = self._amounts(rng, (geometry.count,)) * np.float32(radians(self.degrees))
        cos, sin = np.cos(angle), np.sin(angle)
        geometry.A = geometry.A @ np.stack([cos, -sin, sin, cos], axis=1).reshape(geometry.A.shape)


@dataclass(frozen=True, kw_only=True)
class Translate(Geometric):
    """Translation by up to ±`pixels` along each axis."""

    kind: ClassVar[str] = "translate"
    limits: ClassVar[Limits] = {"pixels": (0, SIDE)}
    pixels: float = 2.0

    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """t ← t + (Δr, Δc)."""
        geometry.t = geometry.t + self._amounts(rng, (geometry.count, 2)) * np.float32(self.pixels)


@dataclass(frozen=True, kw_only=True)
class Scale(Geometric):
    """Scaling by up to the factor 1 + `by`, up or down, drawn separately for each axis (Cireşan et al. 2010, §2)."""

    kind: ClassVar[str] = "scale"
    limits: ClassVar[Limits] = {"by": (0, 1)}
    by: float = 0.1

    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """A ← A diag(s): s from 1/(1 + by) to 1 + by, so that growing and shrinking are equally likely."""
        amounts = self._amounts(rng, (geometry.count, 2))
        geometry.A = geometry.A * np.power(np.float32(1 + self.by), amounts)[:, np.newaxis]


@dataclass(frozen=True, kw_only=True)
class Shear(Geometric):
    """Shear along the rows by an angle up to ±`degrees`, like the slant of handwriting."""

    kind: ClassVar[str] = "shear"
    limits: ClassVar[Limits] = {"degrees": (0, 80)}
    degrees: float = 10.0

    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """A ← A [[1, 0], [tan φ, 1]]: the column moves with the row."""
        slant = np.tan(self._amounts(rng, (geometry.count,)) * np.float32(radians(self.degrees)))
        one, zero = np.ones_like(slant), np.zeros_like(slant)
        geometry.A = geometry.A @ np.stack([one, zero, slant, one], axis=1).reshape(geometry.A.shape)


@dataclass(frozen=True, kw_only=True)
class Elastic(Geometric):
    """A smooth random displacement of the pixels, like the tremor of a hand (Simard et al. 2003, §2).

        u = α G_σ * U,   U uniform from −1 to 1 at each pixel and axis

    G is a Gaussian with standard deviation σ (`sigma`, in pixels) and sum 1, which makes neighbors move alike; α is
    `alpha`. Away from the edges a pixel moves by α / (2 σ √(3π)) along each axis, in the root mean square: 1.4 pixels
    for α = 34 and σ = 4. (The sum of G² is 1 / 4πσ², for σ of at least 1; the variance of U is 1/3.) Beyond the edges,
    U is 0.

    A Gaussian is separable, so G * U is two products of small matrices, K U Kᵀ with K[i, j] ∝ exp(−(i − j)² / 2σ²).
    """

    kind: ClassVar[str] = "elastic"
    limits: ClassVar[Limits] = {"alpha": (0, 1000), "sigma": (0.5, SIDE)}
    alpha: float = 34.0
    sigma: float = 4.0

    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """u ← u + α K U Kᵀ."""
        h, w = geometry.height, geometry.width
        steps = rng.integers(-128, 128, (geometry.count, 2, h, w), np.int8)  # 256 levels are fine enough
        down = gaussian(h, self.sigma)
        across = gaussian(w, self.sigma) * np.float32(self.alpha / 128)  # U runs from −128 to 128 here
        u: Images = np.empty(steps.shape, np.float32)
        for start in range(0, geometry.count, CHUNK):
            U = steps[start : start + CHUNK].astype(np.float32)
            U += np.float32(0.5)  # the middle of each level
            np.matmul(down, (U.reshape(-1, w) @ across.T).reshape(U.shape), out=u[start : start + CHUNK])
        self._spare(u, rng)
        geometry.u = u if geometry.u is None else geometry.u + u


@dataclass(frozen=True, kw_only=True)
class Stroke(Pixelwise):
    """Thicker or thinner strokes: up to `amount` of the way to the 3×3 dilation or erosion.

    Dilation gives every pixel the largest value around it, erosion the smallest (Serra 1982): strokes grow or shrink by
    a whole pixel on all sides. An amount below 1 stops in between.
    """

    kind: ClassVar[str] = "stroke"
    limits: ClassVar[Limits] = {"amount": (0, 1)}
    amount: float = 0.5

    def change(self, images: Images, rng: np.random.Generator) -> None:
        """x ← x + a (dilate(x) − x) for a > 0, x + |a| (erode(x) − x) for a < 0."""
        amounts = self._amounts(rng, (len(images),)) * np.float32(self.amount)
        for chosen, pick in ((amounts > 0, np.maximum), (amounts < 0, np.minimum)):
            x = images[chosen]
            images[chosen] = x + np.abs(amounts[chosen]).reshape(-1, 1, 1) * (extreme_around(x, pick) - x)


@dataclass(frozen=True, kw_only=True)
class Noise(Pixelwise):
    """Normal noise on every pixel, with a standard deviation of `std` gray levels; results are clipped to 0 … 255."""

    kind: ClassVar[str] = "noise"
    limits: ClassVar[Limits] = {"std": (0, 255)}
    std: float = 16.0

    def change(self, images: Images, rng: np.random.Generator) -> None:
        """x ← x + std · N(0, 1)."""
        noise = rng.standard_normal(images.shape, np.float32)
        noise *= np.float32(self.std)
        images += self._spare(noise, rng)
        np.clip(images, 0, 255, out=images)


@dataclass(frozen=True, kw_only=True)
class Erase(Pixelwise):
    """Erasure of a rectangle, up to `share` of the image along each axis (Zhong et al. 2017; DeVries & Taylor 2017).

    The rest must suffice, so the network learns to look at more than one part of a digit.
    """

    kind: ClassVar[str] = "erase"
    limits: ClassVar[Limits] = {"share": (0, 1)}
    share: float = 0.3

    def change(self, images: Images, rng: np.random.Generator) -> None:
        """x ← 0 inside the rectangle."""
        count, *sizes = images.shape
        amounts = np.abs(self._amounts(rng, (count, 2)))  # 0 for the images that are not to be changed
        sides = []
        for size, amount in zip(sizes, np.hsplit(amounts, 2), strict=True):  # amount: (N, 1)
            length = np.rint(int(self.share * size) * amount)
            first = np.floor(rng.random((count, 1)) * (size - length + 1))
            pixels = np.arange(size)
            sides.append((pixels >= first) & (pixels < first + length))  # (N, size)
        images[sides[0][:, :, np.newaxis] & sides[1][:, np.newaxis, :]] = 0


TRANSFORMS: dict[str, type[Transform]] = {
    transform.kind: transform for transform in (Rotate, Translate, Scale, Shear, Elastic, Stroke, Noise, Erase)
}


def augmenter(entries: Sequence[Mapping[str, Any]]) -> Augmenter:
    """All transforms that a recipe lists, as one function of a batch.

    Args:
        entries: Each `{kind = …, option = …}`.

    Raises:
        ConfigError: An unknown kind or option, or an impossible value.
    """
    transforms = [construct(TRANSFORMS, entry) for entry in entries]
    geometric = [transform for transform in transforms if isinstance(transform, Geometric)]
    pixelwise = [transform for transform in transforms if isinstance(transform, Pixelwise)]

    def augment(images: NDArray[np.uint8], rng: np.random.Generator) -> Images:
        if geometric:
            geometry = Geometry(*images.shape)
            for transform in geometric:
                transform.move(geometry, rng)
            augmented = geometry.apply(images)
        else:
            augmented = images.astype(np.float32)
        for change in pixelwise:
            change.change(augmented, rng)
        return augmented

    return augment
