"""Augmentation: each image, every time it is shown, a little different; its digit stays what it was.

A network that has seen a 7 in a thousand positions does not have to be told that they are all sevens (Simard,
Steinkraus & Platt 2003: "the most important practice is getting a training set as large as possible").

Geometric transforms say where each pixel comes from, and add up to one map (core/data/geometry.py), so an image is
interpolated once, however many of them a recipe names. The others change pixels where they are; they follow after, in
the recipe's order.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import pi, radians, sqrt
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from core.data.geometry import CHUNK, Geometry
from core.errors import ConfigError
from core.registry import construct

Images = NDArray[np.float32]
Limits = Mapping[str, tuple[float, float]]
Augmenter = Callable[[NDArray[np.uint8], np.random.Generator], Images]
"""(uint8 (N, H, W), rng) → float32 (N, H, W), 0 to 255, an own array."""


@dataclass(frozen=True, kw_only=True)
class Transform(ABC):
    """One way in which images differ. The amount is drawn for each image anew.

    Attributes:
        kind: The name under which recipes know it.
        limits: The smallest and the largest value of each of its own options.
        probability: How many of the images it is applied to, 0 to 1.
    """

    kind: ClassVar[str]
    limits: ClassVar[Limits]
    probability: float = 1.0

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        for option, (least, most) in {"probability": (0, 1), **self.limits}.items():
            value = getattr(self, option)
            is_number = isinstance(value, Real) and not isinstance(value, bool)
            if not (is_number and least <= value <= most):  # NaN is in no order
                raise ConfigError(f"{self.kind}: {option} = {value!r}, expected a number from {least} to {most}")

    def _amounts(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Images:
        """Uniform from −1 to 1, one row for each image; 0 for the images that it passes over."""
        return self._spare(rng.uniform(-1, 1, shape).astype(np.float32), rng)

    def _spare(self, changes: Images, rng: np.random.Generator) -> Images:
        """Set to 0 what would change the images that it passes over."""
        if self.probability < 1:
            changes[rng.random(len(changes)) >= self.probability] = 0
        return changes


class Geometric(Transform):
    """A transform that moves pixels."""

    @abstractmethod
    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """Add this to where the pixels come from."""


class Pixelwise(Transform):
    """A transform that changes pixels where they are."""

    @abstractmethod
    def change(self, images: Images, rng: np.random.Generator) -> None:
        """Change (N, H, W), 0 to 255, in place."""


@dataclass(frozen=True, kw_only=True)
class Rotate(Geometric):
    """By an angle up to ±`degrees`, about the center."""

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
    """By up to ±`pixels` along each axis."""

    kind: ClassVar[str] = "translate"
    limits: ClassVar[Limits] = {"pixels": (0, 28)}
    pixels: float = 2.0

    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """t ← t + (Δr, Δc)."""
        geometry.t = geometry.t + self._amounts(rng, (geometry.count, 2)) * np.float32(self.pixels)


@dataclass(frozen=True, kw_only=True)
class Scale(Geometric):
    """Larger or smaller by up to the factor 1 + `by`, along each axis by another (Cireşan et al. 2010, §2)."""

    kind: ClassVar[str] = "scale"
    limits: ClassVar[Limits] = {"by": (0, 1)}
    by: float = 0.1

    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """A ← A diag(s): s from 1/(1 + by) to 1 + by, so that growing and shrinking are equally likely."""
        amounts = self._amounts(rng, (geometry.count, 2))
        geometry.A = geometry.A * np.power(np.float32(1 + self.by), amounts)[:, np.newaxis]


@dataclass(frozen=True, kw_only=True)
class Shear(Geometric):
    """Slanted by an angle up to ±`degrees`, as handwriting is."""

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
    """Every pixel a little to somewhere, neighbors together: the hand's own tremor (Simard et al. 2003, §2).

        u = α G_σ * U,   U uniform from −1 to 1 at each pixel and axis

    A Gaussian G of `sigma` pixels, with sum 1, makes neighbors move alike; `alpha` is how far. Away from the edges a
    pixel moves by α / (2 σ √(3π)) along each axis, in the root mean square: 1.4 pixels for α = 34 and σ = 4. (The sum
    of G² is 1 / 4πσ², for σ from 1; the variance of U is 1/3.) Beyond the edges, U is 0.

    A Gaussian is separable, so G * U is two products of small matrices, K U Kᵀ with K[i, j] ∝ exp(−(i − j)² / 2σ²).
    """

    kind: ClassVar[str] = "elastic"
    limits: ClassVar[Limits] = {"alpha": (0, 1000), "sigma": (0.5, 28)}
    alpha: float = 34.0
    sigma: float = 4.0

    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """u ← u + α K U Kᵀ."""
        h, w = geometry.height, geometry.width
        steps = rng.integers(-128, 128, (geometry.count, 2, h, w), np.int8)  # 256 steps are fine enough
        down = gaussian(h, self.sigma)
        across = gaussian(w, self.sigma) * np.float32(self.alpha / 128)  # U is from −128 to 128 here
        u: Images = np.empty(steps.shape, np.float32)
        for start in range(0, geometry.count, CHUNK):
            U = steps[start : start + CHUNK].astype(np.float32)
            U += np.float32(0.5)  # the steps' middles
            np.matmul(down, (U.reshape(-1, w) @ across.T).reshape(U.shape), out=u[start : start + CHUNK])
        self._spare(u, rng)
        geometry.u = u if geometry.u is None else geometry.u + u


def gaussian(size: int, sigma: float) -> Images:
    """K, (size, size): K x blurs the columns of x, as if beyond its ends it were 0. K[i, j] = N(i − j; 0, σ²).

    A normal density, taken at whole steps, sums to 1 within 10⁻⁸ where σ is 1 or more, and within 1.5% down to ½.
    """
    distance = np.subtract.outer(np.arange(size), np.arange(size))
    K: Images = (np.exp(-(distance**2) / (2 * sigma**2)) / (sigma * sqrt(2 * pi))).astype(np.float32)
    return K


@dataclass(frozen=True, kw_only=True)
class Stroke(Pixelwise):
    """Thicker or thinner strokes: up to `amount` of the way to the 3×3 dilation or erosion.

    Dilation gives every pixel the largest value around it, erosion the smallest (Serra 1982): a whole pixel more or
    less of ink all around. An amount below 1 stops in between.
    """

    kind: ClassVar[str] = "stroke"
    limits: ClassVar[Limits] = {"amount": (0, 1)}
    amount: float = 0.5

    def change(self, images: Images, rng: np.random.Generator) -> None:
        """x ← x + a (dilate(x) − x) for a > 0, x + |a| (erode(x) − x) for a < 0."""
        amounts = self._amounts(rng, (len(images),)) * np.float32(self.amount)
        for chosen, around in ((amounts > 0, np.maximum), (amounts < 0, np.minimum)):
            x = images[chosen]
            images[chosen] = x + np.abs(amounts[chosen]).reshape(-1, 1, 1) * (spread(x, around) - x)


def spread(images: NDArray[Any], around: np.ufunc) -> NDArray[Any]:
    """The largest (`np.maximum`) or smallest (`np.minimum`) of the 3×3 pixels around each; outside there are none.

    Args:
        images: (N, H, W).
        around: Which of the two.
    """
    down = images.copy()
    around(down[:, 1:], images[:, :-1], out=down[:, 1:])
    around(down[:, :-1], images[:, 1:], out=down[:, :-1])
    across = down.copy()
    around(across[:, :, 1:], down[:, :, :-1], out=across[:, :, 1:])
    around(across[:, :, :-1], down[:, :, 1:], out=across[:, :, :-1])
    return across


@dataclass(frozen=True, kw_only=True)
class Noise(Pixelwise):
    """Normal noise of `std` levels on every pixel; what leaves 0 to 255 is cut off."""

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
    """A rectangle without ink, up to `share` of the image along each axis (Zhong et al. 2017; DeVries & Taylor 2017).

    What is left has to be enough: the network learns to look at more than one part of a digit.
    """

    kind: ClassVar[str] = "erase"
    limits: ClassVar[Limits] = {"share": (0, 1)}
    share: float = 0.3

    def change(self, images: Images, rng: np.random.Generator) -> None:
        """x ← 0 inside the rectangle."""
        count, *sizes = images.shape
        amounts = np.abs(self._amounts(rng, (count, 2)))  # 0 for the images that it passes over
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
    """What a recipe's list of transforms does to a batch.

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
