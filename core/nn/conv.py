"""The convolutional layer."""

from collections.abc import Iterator
from functools import partial
from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape, Step
from core.kernels.bands import Bands
from core.kernels.plan import Plan
from core.kernels.product import product, product_steps
from core.kernels.window import windows
from core.nn.initializers import INITIALIZERS
from core.nn.layer import Layer, Parameter

_CHUNK_BYTES = 3 << 19
"""Patches in work at once: of more, a product finds too few in the caches; fewer of them take more calls."""

_KEPT_BYTES = 1 << 22
"""Patches that are kept from the forward pass for the backward pass. More of them are copied anew, which is cheaper
than to read them from main memory."""


class Conv2D(Layer):
    """Every output pixel is the same weighted sum of the pixels around it: one kernel, moved over the picture.

    With X the input inside its padding of zeros, and s, r the strides along rows and columns:

        y[n, h, w, o] = b[o] + Σ_{i, j, c} X[n, h·s + i, w·r + j, c] W[i, j, c, o]

    (the cross-correlation that networks call convolution: Goodfellow, Bengio & Courville 2016, eq. 9.6; LeCun et al.
    1998). A weight acts at every output pixel, and a pixel in several outputs; the chain rule sums over both:

        dW[i, j, c, o] = Σ_{n, h, w} X[n, h·s + i, w·r + j, c] dy[n, h, w, o]
        db[o]          = Σ_{n, h, w} dy[n, h, w, o]
        dX[n, u, v, c] = Σ dy[n, h, w, o] W[i, j, c, o]   over all h, w, i, j, o with h·s + i = u and w·r + j = v

    With the patches of X as the rows of a matrix P, and a last column of ones for the bias, these are the formulas of
    a dense layer: y = P B, dB = Pᵀ dy, dP = dy Bᵀ. How a patch and B look is the matter of `core.kernels.bands`.

    Parameters: W (kh, kw, C, O), b (O,).
    """

    kind: ClassVar[str] = "conv2d"

    def __init__(
        self,
        input_shape: Shape,
        *,
        channels: int,
        kernel: int | list[int],
        stride: int | list[int] = 1,
        padding: str = "valid",
        init: str = "he_normal",
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
    ) -> None:
        rows, columns = windows(self.kind, input_shape, kernel, stride, padding)
        if not isinstance(channels, int) or isinstance(channels, bool) or channels < 1:
            raise ArchitectureError(f"conv2d: channels = {channels!r}, expected a whole number of at least 1")
        if init not in INITIALIZERS:
            raise ArchitectureError(f"conv2d: unknown init {init!r}; known: {', '.join(INITIALIZERS)}")
        super().__init__(input_shape, (rows.outputs, columns.outputs, channels), dtype)
        inputs, area = input_shape[2], rows.kernel * columns.kernel
        shape = (rows.kernel, columns.kernel, inputs, channels)
        self.W = Parameter(INITIALIZERS[init](rng, shape, area * inputs, area * channels, dtype))
        self.b = Parameter(np.zeros(channels, dtype))
        self.parameters = {"W": self.W, "b": self.b}
        self.plan = Plan.cheapest(rows, columns, inputs, channels)

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = P B, a few pictures at a time."""
        bands, x = self.plan.ahead, np.ascontiguousarray(x)
        y = self.scratch("y", (len(x), *self.output_shape))
        band = self._band()
        for part, patches in self._patches(bands, x, "ahead", keep=training):
            product(patches, band, y[part].reshape(-1, band.shape[1]))
        if training:
            self.x = x
        return y

    def compile(self, x: Array) -> tuple[Array, list[Step]]:
        """y = P B, a few pictures at a time; B is woven once."""
        bands = self.plan.ahead
        y = self.scratch("y", (len(x), *self.output_shape))
        band = self._band()
        cols, padded, chunk = self._room(bands, len(x), "ahead")
        steps: list[Step] = []
        for start in range(0, len(x), chunk):
            pictures = x[start : start + chunk]
            n = len(pictures)
            patches, part = cols[:n].reshape(-1, cols.shape[-1]), y[start : start + n].reshape(-1, band.shape[1])
            if padded is not None:
                steps.append(partial(np.copyto, padded[:n, bands.rows.inside, bands.columns.inside], pictures))
                pictures = padded[:n]
            steps.append(partial(np.copyto, *bands.patches(pictures, cols[:n])))
            steps += product_steps(patches, band, part)
        return y, steps

    def _band(self) -> Array:
        """The band matrix of the forward pass, woven anew where the weights have changed since the last time.

        They change at each step of a training, and never while a network is used; to compare them takes a fifth of the
        time of weaving.
        """
        W, b = self.W.value, self.b.value
        band = self.scratch("band", self.plan.ahead.shape)
        woven_W = self.scratch("woven W", W.shape, fill=np.nan)  # NaN: equal to nothing, not even to itself
        woven_b = self.scratch("woven b", b.shape, fill=np.nan)
        if not ((woven_W == W).all() and (woven_b == b).all()):
            self.plan.ahead.weave(W, b, band)
            woven_W[...], woven_b[...] = W, b
        return band

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dW, db and dx, by the cheapest way."""
        dy = np.ascontiguousarray(dy)
        if not need_dx:
            return self._backward(dy, self.plan.ahead, None)
        dx = self.scratch("dx", self.x.shape)
        if self.plan.mirrored:
            return self._backward_mirrored(dy, self.plan.back, dx)
        return self._backward(dy, self.plan.back, dx)

    def _backward(self, dy: Array, bands: Bands, dx: Array | None) -> Array | None:
        """dB = Pᵀ dy and dP = dy Bᵀ; then dW, db and dx are what B and P were made of."""
        band = bands.weave(self.W.value, self.b.value, self.scratch("band back", bands.shape))
        d_band, share = self.scratch("d_band", bands.shape), self.scratch("share", bands.shape)
        d_band.fill(0)
        ahead = bands is self.plan.ahead
        for part, patches in self._patches(bands, self.x, "ahead" if ahead else "back", keep=ahead, kept=ahead):
            d_tiles = dy[part].reshape(-1, bands.shape[1])  # (n·OH·T, t·O)
            d_band += np.matmul(patches.T, d_tiles, out=share)
            if dx is not None:
                d_patches = self.scratch("d_patches", (len(dx[part]), *bands.tiles, bands.pixels))
                np.matmul(d_tiles, band[:-1].T, out=d_patches.reshape(-1, bands.pixels))  # (n·OH·T, kh·R·C)
                self._scatter(bands, d_patches, dx[part])
        bands.unweave(d_band, self.W.grad, self.b.grad)
        return dx

    def _scatter(self, bands: Bands, d_patches: Array, dx: Array) -> None:
        """Add dP up in dx; the gradient of the padding is dropped."""
        padded = self._padded(bands, len(dx), "d_padded")
        if padded is None:
            dx.fill(0)
            bands.scatter(d_patches, dx)
        else:
            padded.fill(0)
            bands.scatter(d_patches, padded)
            np.copyto(dx, padded[:, bands.rows.inside, bands.columns.inside])

    def _backward_mirrored(self, dy: Array, mirror: Bands, dx: Array) -> Array:
        """dX as a convolution of dy with the mirrored kernel: nothing has to be added up in place.

        With stride 1, the sum for dX is itself a convolution (Dumoulin & Visin 2016, §4.3): V[i, j, o, c] =
        W[kh − 1 − i, kw − 1 − j, c, o] slides over dy. With Q the patches of dy and M the band matrix of V,
        dX = Q M; and because each product x·dy that makes dW meets in Q too, dM = Qᵀ x.
        """
        band = mirror.weave(_mirrored(self.W.value), None, self.scratch("band back", mirror.shape))
        d_band, share = self.scratch("d_band", mirror.shape), self.scratch("share", mirror.shape)
        d_band.fill(0)
        for part, patches in self._patches(mirror, dy, "back"):
            product(patches, band, dx[part].reshape(-1, band.shape[1]))  # (n·H·W/t, t·C)
            d_band += np.matmul(patches.T, self.x[part].reshape(-1, band.shape[1]), out=share)
        mirror.unweave(d_band, _mirrored(self.W.grad), None)
        rows = dy.reshape(-1, dy.shape[2] * dy.shape[3])  # whole rows first: NumPy adds long stretches faster
        np.sum(rows.sum(axis=0).reshape(dy.shape[2:]), axis=0, out=self.b.grad)
        return dx

    def _patches(
        self, bands: Bands, x: Array, name: str, *, keep: bool = False, kept: bool = False
    ) -> Iterator[tuple[slice, Array]]:
        """The patches of x, a few pictures at a time: which, and (n·OH·T, K), valid until the next is asked for.

        Args:
            bands: Their layout.
            x: The pictures.
            name: Of the room where they are put.
            keep: Whether all of them are put there side by side, if they fit.
            kept: Whether they lie there from the last time, if they fit.
        """
        cols, padded, chunk = self._room(bands, len(x), name, keep=keep)
        side_by_side = len(cols) == len(x)
        for start in range(0, len(x), chunk):
            pictures = x[start : start + chunk]
            n = len(pictures)
            place = cols[start : start + n] if side_by_side else cols[:n]
            if not (kept and side_by_side):
                if padded is not None:
                    padded[:n, bands.rows.inside, bands.columns.inside] = pictures
                    pictures = padded[:n]
                bands.gather(pictures, place)
            yield slice(start, start + n), place.reshape(-1, cols.shape[-1])

    def _room(self, bands: Bands, count: int, name: str, *, keep: bool = False) -> tuple[Array, Array | None, int]:
        """Room for the patches of `count` pictures, or of as many as are in work at once, and for their padding.

        Returns:
            (room for patches, room for the padding of a chunk, pictures in a chunk).
        """
        size = prod(bands.tiles) * bands.shape[0] * self.dtype.itemsize
        chunk = max(1, min(_CHUNK_BYTES // size, count))
        pictures = count if keep and count * size <= _KEPT_BYTES else chunk
        # 1 is what the bias is multiplied by, 0 the padding: both stay, the rest is written over.
        cols = self.scratch(f"patches {name}", (pictures, *bands.tiles, bands.shape[0]), fill=1)
        return cols, self._padded(bands, chunk, f"padded {name}"), chunk

    def _padded(self, bands: Bands, count: int, name: str) -> Array | None:
        """Room for pictures inside zeros, (count, *padded input), or None where no padding is needed."""
        rows, columns = bands.rows, bands.columns
        if rows.padded == rows.size and columns.padded == columns.size:
            return None
        return self.scratch(name, (count, rows.padded, columns.padded, bands.inputs), fill=0)


def _mirrored(W: Array) -> Array:
    """(kh, kw, C, O) seen as (kh, kw, O, C), with rows and columns reversed."""
    return W[::-1, ::-1].swapaxes(2, 3)
