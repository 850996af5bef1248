"""Augmentation: each image, every time it is shown, a little different; its digit stays what it was.

A network that has seen a 7 in a thousand positions does not have to be told that they are all sevens (Simard,
Steinkraus & Platt 2003: "the most important practice is getting a training set as large as possible").

Geometric transforms say where each pixel comes from, and add up to one map, so an image is interpolated once, however
many of them a recipe names. With p a pixel's place, counted from the image's center,

    source(p) = A p + t + u(p)

A is what rotation, scaling and shear multiply up to, t the translation, and u the elastic field. The others change
pixels where they are; they follow after, in the recipe's order.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import pi, radians, sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from core.data.warp import warp
from core.errors import ConfigError
from core.registry import construct

Images = NDArray[np.float32]
Augmenter = Callable[[NDArray[np.uint8], np.random.Generator], Images]
"""(uint8 (N, H, W), rng) → float32 (N, H, W), 0 to 255, an own array."""


@dataclass(frozen=True, kw_only=True)
class Transform(ABC):
    """One way in which images differ. The amount is drawn for each image anew.

    Attributes:
        kind: The name under which recipes know it.
        probability: How many of the images it is applied to, 0 to 1.
    """

    kind: ClassVar[str]
    probability: float = 1.0

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        self._require(0 <= self.probability <= 1, "probability", "0 to 1")

    def _require(self, condition: bool, option: str, expected: str) -> None:
        if not condition:  # false for NaN as well
            raise ConfigError(f"{self.kind}: {option} = {getattr(self, option)!r}, expected {expected}")

    def _amounts(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Images:
        """Uniform from −1 to 1, one row for each image; 0 for the images that it passes over."""
        amounts = rng.uniform(-1, 1, shape).astype(np.float32)
        if self.probability < 1:
            amounts[rng.random(shape[0]) >= self.probability] = 0
        return amounts


class Geometry:
    """Where the pixels of a batch come from: source(p) = A p + t + u(p).

    Attributes:
        A: (N, 2, 2), from (row, column) to (row, column).
        t: (N, 2), in pixels.
        u: (N, 2, H, W), in pixels; None while there is no field.
    """

    def __init__(self, count: int, height: int, width: int) -> None:
        self.count, self.height, self.width = count, height, width
        self.A: Images = np.broadcast_to(np.eye(2, dtype=np.float32), (count, 2, 2))
        self.t: Images = np.zeros((count, 2), np.float32)
        self.u: Images | None = None

    def apply(self, images: NDArray[np.uint8]) -> Images:
        """The images, read from there."""
        r = np.arange(self.height, dtype=np.float32).reshape(-1, 1) - np.float32((self.height - 1) / 2)  # (H, 1)
        c = np.arange(self.width, dtype=np.float32) - np.float32((self.width - 1) / 2)  # (W,)
        rows, columns = (self._axis(k, r, c) for k in (0, 1))
        return warp(images, rows, columns)

    def _axis(self, k: int, r: Images, c: Images) -> Images:
        A, t = self.A.reshape(-1, 2, 2, 1, 1), self.t.reshape(-1, 2, 1, 1)
        center = np.float32(((self.height, self.width)[k] - 1) / 2)
        source: Images = A[:, k, 0] * r + (t[:, k] + center) + A[:, k, 1] * c  # (N, H, W)
        if self.u is not None:
            source += self.u[:, k]
        return source


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
    degrees: float = 10.0

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        super().__post_init__()
        self._require(0 <= self.degrees <= 180, "degrees", "0 to 180")

    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """A ← A [[cos φ, −sin φ], [sin φ, cos φ]]."""
        angle = self._amounts(rng, (geometry.count,)) * np.float32(radians(self.degrees))
        cos, sin = np.cos(angle), np.sin(angle)
        geometry.A = geometry.A @ np.stack([cos, -sin, sin, cos], axis=1).reshape(-1, 2, 2)


@dataclass(frozen=True, kw_only=True)
class Translate(Geometric):
    """By up to ±`pixels` along each axis."""

    kind: ClassVar[str] = "translate"
    pixels: float = 2.0

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        super().__post_init__()
        self._require(0 <= self.pixels <= 28, "pixels", "0 to 28")

    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """t ← t + (Δr, Δc)."""
        geometry.t = geometry.t + self._amounts(rng, (geometry.count, 2)) * np.float32(self.pixels)


@dataclass(frozen=True, kw_only=True)
class Scale(Geometric):
    """Larger or smaller by up to the factor 1 + `by`, along each axis by another (Cireşan et al. 2010, §2)."""

    kind: ClassVar[str] = "scale"
    by: float = 0.1

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        super().__post_init__()
        self._require(0 <= self.by <= 1, "by", "0 to 1")

    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """A ← A diag(s): s from 1/(1 + by) to 1 + by, so that growing and shrinking are equally likely."""
        amounts = self._amounts(rng, (geometry.count, 2))
        geometry.A = geometry.A * np.power(np.float32(1 + self.by), amounts)[:, np.newaxis]


@dataclass(frozen=True, kw_only=True)
class Shear(Geometric):
    """Slanted by an angle up to ±`degrees`, as handwriting is."""

    kind: ClassVar[str] = "shear"
    degrees: float = 10.0

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        super().__post_init__()
        self._require(0 <= self.degrees < 80, "degrees", "0 to below 80")

    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """A ← A [[1, 0], [tan φ, 1]]: the column moves with the row."""
        slant = np.tan(self._amounts(rng, (geometry.count,)) * np.float32(radians(self.degrees)))
        one, zero = np.ones_like(slant), np.zeros_like(slant)
        geometry.A = geometry.A @ np.stack([one, zero, slant, one], axis=1).reshape(-1, 2, 2)


@dataclass(frozen=True, kw_only=True)
class Elastic(Geometric):
    """Every pixel a little to somewhere, neighbors together: the hand's own tremor (Simard et al. 2003, §2).

        u = α G_σ * U,   U uniform from −1 to 1 at each pixel and axis

    A Gaussian G of `sigma` pixels, with sum 1, makes neighbors move alike; `alpha` is how far. Away from the edges a
    pixel moves by α / (2 σ √(3π)) along each axis, in the root mean square: 1.4 pixels for α = 34 and σ = 4. Beyond the
    edges, U is 0.

    A Gaussian is separable, so G * U is two products of small matrices, K U Kᵀ with K[i, j] ∝ exp(−(i − j)² / 2σ²).
    """

    kind: ClassVar[str] = "elastic"
    alpha: float = 34.0
    sigma: float = 4.0

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        super().__post_init__()
        self._require(0 <= self.alpha <= 1000, "alpha", "0 to 1000")
        self._require(0.5 <= self.sigma <= 28, "sigma", "0.5 to 28")

    def move(self, geometry: Geometry, rng: np.random.Generator) -> None:
        """U ← u + α K U Kᵀ."""
        h, w = geometry.height, geometry.width
        U = rng.random((geometry.count, 2, h, w), np.float32)
        U -= np.float32(0.5)
        down, across = (
            gaussian(h, self.sigma),
            gaussian(w, self.sigma) * np.float32(2 * self.alpha),
        )  # 2: U is from −½ to ½ here
        rows = (U.reshape(-1, w) @ across.T).reshape(U.shape)
        if self.probability < 1:
            rows[rng.random(geometry.count) >= self.probability] = 0
        u: Images = np.matmul(down, rows, out=U)
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
    amount: float = 0.5

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        super().__post_init__()
        self._require(0 <= self.amount <= 1, "amount", "0 to 1")

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
    std: float = 16.0

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        super().__post_init__()
        self._require(0 <= self.std <= 255, "std", "0 to 255")

    def change(self, images: Images, rng: np.random.Generator) -> None:
        """x ← x + std · N(0, 1)."""
        noise = rng.standard_normal(images.shape, np.float32)
        noise *= np.float32(self.std)
        if self.probability < 1:
            noise[rng.random(len(images)) >= self.probability] = 0
        images += noise
        np.clip(images, 0, 255, out=images)


@dataclass(frozen=True, kw_only=True)
class Erase(Pixelwise):
    """A rectangle without ink, up to `share` of the image along each axis (Zhong et al. 2017; DeVries & Taylor 2017).

    What is left has to be enough: the network learns to look at more than one part of a digit.
    """

    kind: ClassVar[str] = "erase"
    share: float = 0.3

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        super().__post_init__()
        self._require(0 <= self.share <= 1, "share", "0 to 1")

    def change(self, images: Images, rng: np.random.Generator) -> None:
        """x ← 0 inside the rectangle."""
        count, *sizes = images.shape
        sides = []
        for size in sizes:
            length = self.share * size * np.abs(self._amounts(rng, (count, 1)))  # 0 where it is passed over
            first = rng.random((count, 1)) * (size - length)
            pixels = np.arange(size)
            sides.append((pixels >= np.round(first)) & (pixels < np.round(first + length)))  # (N, size)
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
