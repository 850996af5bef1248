"""Convolution as one matrix product with wide rows: how pictures and kernels are laid out for it.

The textbook way (im2col: Chellapilla, Puri & Simard 2006) copies the patch under every output pixel into a row of a
matrix and multiplies it by the kernel, (kh·kw·C, O). With few channels both halves are slow: neighboring patches
repeat most of their pixels, and a matrix of O = 8 columns uses a third of a processor's vector units.

So a row here serves a *tile*: t outputs that lie side by side. Their patches overlap, and together they are one patch
that is only t − 1 strides wider. The kernel becomes a *band matrix*: column block a is the kernel moved a strides to
the right, with zeros around it. For kw = 3, stride 1 and t = 4, one row of the kernel, w₀ w₁ w₂, becomes

    pixel 0   w₀  ·  ·  ·
    pixel 1   w₁ w₀  ·  ·
    pixel 2   w₂ w₁ w₀  ·
    pixel 3    · w₂ w₁ w₀
    pixel 4    ·  · w₂ w₁
    pixel 5    ·  ·  · w₂

(the Toeplitz matrix of Dumoulin & Visin 2016, §4.1, cut to one tile). Zeros are multiplied too, but copying falls by
almost t, and the product is t times wider. t = 1 is im2col; with t = OW, a tile is a whole row of outputs.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.kernels.arrays import Array, Shape
from core.kernels.window import Window


@dataclass(frozen=True)
class Bands:
    """The layout of one convolution.

    Legend: OH × OW outputs in T = OW / t tiles a row; R = (t − 1)·stride + kw, the pixels in a tile's row;
    C channels in, O channels out; K numbers in a patch: kh·R·C pixels, and a 1 for the bias, if there is one.

    Attributes:
        rows, columns: The kernel's windows.
        inputs, outputs: C and O.
        tile: t, outputs in a tile; it divides OW.
        bias: Whether a patch ends with a 1.
    """

    rows: Window
    columns: Window
    inputs: int
    outputs: int
    tile: int
    bias: bool = True

    @cached_property
    def run(self) -> int:
        """R, pixels in one row of a tile's patch."""
        return (self.tile - 1) * self.columns.stride + self.columns.kernel

    @cached_property
    def pixels(self) -> int:
        """kh·R·C, numbers under a tile."""
        return self.rows.kernel * self.run * self.inputs

    @cached_property
    def tiles(self) -> Shape:
        """(OH, T)."""
        return self.rows.outputs, self.columns.outputs // self.tile

    @cached_property
    def shape(self) -> Shape:
        """(K, t·O), of the band matrix."""
        return self.pixels + self.bias, self.tile * self.outputs

    def weave(self, W: Array, b: Array | None, out: Array) -> Array:
        """The band matrix, with the bias as its last row.

        Args:
            W: (kh, kw, C, O).
            b: (O,), or None without a bias.
            out: (K, t·O), overwritten.
        """
        out.fill(0)
        self._diagonals(out)[...] = W  # the same kernel t times
        if b is not None:
            out[-1].reshape(self.tile, self.outputs)[...] = b
        return out

    def unweave(self, d_band: Array, dW: Array, db: Array | None) -> None:
        """The transpose of `weave`: the gradient of a weight is the sum over its t places.

        Args:
            d_band: (K, t·O).
            dW: (kh, kw, C, O), overwritten.
            db: (O,), overwritten; or None without a bias.
        """
        np.sum(self._diagonals(d_band), axis=0, out=dW)
        if db is not None:
            np.sum(d_band[-1].reshape(self.tile, self.outputs), axis=0, out=db)

    def patches(self, x: Array, cols: Array) -> tuple[Array, Array]:
        """Where to copy the patches of x to, and from: `np.copyto(*bands.patches(x, cols))`.

        Args:
            x: (N, H, W, C), with its padding, C-contiguous; likewise below.
            cols: (N, OH, T, K). A last column for the bias stays as it is.

        Returns:
            `cols` and `x`, both seen as (N, OH, T, kh, R, C).
        """
        n, h, w, c = x.strides
        down, right = h * self.rows.stride, w * self.columns.stride * self.tile  # from one tile to the next
        shape = (len(x), *self.tiles, self.rows.kernel, self.run, self.inputs)
        return self._by_pixel(cols), _seen(x, shape, (n, down, right, h, w, c))

    def scatter(self, d_patches: Array, dx: Array) -> None:
        """The transpose of copying `patches`: add every patch to the pixels that it came from.

        Args:
            d_patches: (N, OH, T, kh·R·C).
            dx: (N, H, W, C), with its padding; added to.
        """
        source = self._by_pixel(d_patches)
        n, h, w, c = dx.strides
        steps = (n, h * self.rows.stride, w * self.columns.stride * self.tile, w, c)
        for i in range(self.rows.kernel):
            for piece in self.pieces:
                shape = (len(dx), *self.tiles, piece.stop - piece.start, self.inputs)
                target = _seen(dx, shape, steps, offset=i * h + piece.start * w)
                target += source[:, :, :, i, piece]

    @cached_property
    def pieces(self) -> list[slice]:
        """One row of a patch, cut into pieces that do not overlap those of the neighboring tile."""
        hop = self.tile * self.columns.stride
        return [slice(start, min(start + hop, self.run)) for start in range(0, self.run, hop)]

    def _by_pixel(self, cols: Array) -> Array:
        """(N, OH, T, K) seen as (N, OH, T, kh, R, C)."""
        n, h, t, one = cols.strides
        shape = (*cols.shape[:3], self.rows.kernel, self.run, self.inputs)
        return _seen(cols, shape, (n, h, t, one * self.run * self.inputs, one * self.inputs, one))

    def _diagonals(self, band: Array) -> Array:
        """A band matrix (K, t·O) seen as (t, kh, kw, C, O): for each of a tile's outputs, the kernel's place."""
        down, one = band.strides  # to the next number of a patch, and to the next column
        pixel = down * self.inputs
        strides = (pixel * self.columns.stride + one * self.outputs, pixel * self.run, pixel, down, one)
        return _seen(band, (self.tile, self.rows.kernel, self.columns.kernel, self.inputs, self.outputs), strides)


def _seen(x: Array, shape: Shape, strides: Shape, offset: int = 0) -> Array:
    """The memory of `x`, C-contiguous, with other strides, from `offset` bytes on.

    The same as NumPy's `as_strided` in a tenth of the time, which for one picture was a third of a convolution's.
    """
    return np.ndarray(shape, x.dtype, x, offset, strides)
