"""Convolution and its gradients as matrix products, for a few pictures at a time.

`core.kernels.bands` lays out patches and kernel as matrices, `core.kernels.plan` chooses among its layouts; here the
patches are copied and multiplied. Those of a whole batch would not fit into the processor's caches, so a batch is cut
into chunks of a few pictures: a product then reads patches that were written just before.

Legend, as in `core.kernels.bands`: x (N, H, W, C), W (kh, kw, C, O), b (O,), y (N, OH, OW, O); n pictures in a chunk,
T tiles in a row, K numbers in a patch, t·O columns of the band matrix.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from math import prod

import numpy as np

from core.kernels.arrays import Array, Scratch, Step
from core.kernels.bands import Bands
from core.kernels.plan import Plan
from core.kernels.product import product, product_steps

_CHUNK_BYTES = 3 << 19
"""Patches of one chunk. With more, a product finds too few of them in the caches; with fewer, there are more calls."""

_KEPT_BYTES = 1 << 22
"""Up to this size, the patches of a whole batch are kept from the forward pass for the backward pass. Above it they are
copied again, which is cheaper than to read them from main memory."""


def convolve(plan: Plan, x: Array, W: Array, b: Array, scratch: Scratch, *, keep: bool = False) -> Array:
    """y = P B, with the patches of x as the rows of P, and with B the band matrix of W and b.

    Args:
        plan: The layouts of this convolution.
        x: (N, H, W, C).
        W: (kh, kw, C, O).
        b: (O,).
        scratch: The memory to work in, and that of the result. Used for this convolution alone.
        keep: Whether `convolve_backward` follows, for which the patches are kept if they are not too many.

    Returns:
        y, (N, OH, OW, O).
    """
    y, steps = convolve_steps(plan, np.ascontiguousarray(x), W, b, scratch, keep=keep)
    _run(steps)
    return y


def convolve_steps(
    plan: Plan, x: Array, W: Array, b: Array, scratch: Scratch, *, keep: bool = False
) -> tuple[Array, list[Step]]:
    """Where y will be, and the calls that compute it from what x contains at that time.

    Arguments are those of `convolve`; x is C-contiguous, and W and b must not change afterwards.
    """
    bands = plan.ahead
    y = scratch("y", (len(x), bands.rows.outputs, bands.columns.outputs, bands.outputs))
    band = _band(bands, W, b, scratch)
    steps: list[Step] = []
    for part, copying, patches in _chunks(bands, x, "ahead", scratch, keep=keep):
        steps += [*copying, *product_steps(patches, band, y[part].reshape(-1, band.shape[1]))]  # (n·OH·T, t·O)
    return y, steps


def convolve_backward(
    plan: Plan, x: Array, W: Array, dy: Array, dW: Array, db: Array, scratch: Scratch, *, need_dx: bool
) -> Array | None:
    """The gradients of a convolution, in its cheapest layout.

    Args:
        plan: The layouts of this convolution.
        x: The input of the last `convolve`, which had `keep`, (N, H, W, C).
        W: (kh, kw, C, O).
        dy: (N, OH, OW, O).
        dW: (kh, kw, C, O), overwritten.
        db: (O,), overwritten.
        scratch: That of `convolve`.
        need_dx: Whether dx is computed too.

    Returns:
        dx, (N, H, W, C), or None.
    """
    x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
    dx = scratch("dx", x.shape) if need_dx else None
    if dx is not None and plan.mirrored:
        d_band = _over_dy(plan.back, x, W, dy, dx, scratch)
        plan.back.unweave(d_band, _mirrored(dW), None)
        rows = dy.reshape(-1, prod(dy.shape[2:]))  # whole rows of pixels first: NumPy adds long stretches faster
        np.sum(rows.sum(axis=0).reshape(dy.shape[2:]), axis=0, out=db)
    else:
        bands = plan.ahead if dx is None else plan.back
        d_band = _over_x(bands, x, W, dy, dx, scratch, kept=bands is plan.ahead)
        bands.unweave(d_band, dW, db)
    return dx


def _over_x(bands: Bands, x: Array, W: Array, dy: Array, dx: Array | None, scratch: Scratch, *, kept: bool) -> Array:
    """dB = Pᵀ dy, (K, t·O); and if dx is needed, dP = dy Bᵀ, which is added up in it.

    With `kept`, the layout is that of the forward pass, and the patches that it kept are used again.
    """
    d_band, share = scratch("d_band", bands.shape), scratch("share", bands.shape)
    d_band.fill(0)
    band = bands.weave(W, None, scratch("band back", bands.shape))[: bands.pixels]  # the bias has no part in dx
    for part, copying, patches in _chunks(bands, x, "ahead" if kept else "back", scratch, kept=kept):
        _run(copying)
        d_tiles = dy[part].reshape(-1, bands.shape[1])  # (n·OH·T, t·O)
        d_band += np.matmul(patches.T, d_tiles, out=share)
        if dx is not None:
            d_patches = scratch("d_patches", (len(dx[part]), *bands.tiles, bands.pixels))
            np.matmul(d_tiles, band.T, out=d_patches.reshape(-1, bands.pixels))  # (n·OH·T, kh·R·C)
            _add_up(bands, d_patches, dx[part], scratch)
    return d_band


def _add_up(bands: Bands, d_patches: Array, dx: Array, scratch: Scratch) -> None:
    """dx = the sum of dP over all patches in which a pixel occurs; the gradient of the padding is dropped."""
    padded = _padded(bands, len(dx), "d_padded", scratch)
    if padded is None:
        dx.fill(0)
        bands.scatter(d_patches, dx)
    else:
        padded.fill(0)
        bands.scatter(d_patches, padded)
        np.copyto(dx, padded[:, bands.rows.inside, bands.columns.inside])


def _over_dy(mirror: Bands, x: Array, W: Array, dy: Array, dx: Array, scratch: Scratch) -> Array:
    """dX as a convolution of dy with the mirrored kernel: nothing has to be added up in place.

    With stride 1, the sum for dX is itself a convolution (Dumoulin & Visin 2016, §4.3): V[i, j, o, c] =
    W[kh − 1 − i, kw − 1 − j, c, o] slides over dy. With Q the patches of dy and M the band matrix of V,
    dX = Q M; and because each product x·dy that dW is a sum of occurs in Q too, dM = Qᵀ x, (K, t·C).
    """
    band = mirror.weave(_mirrored(W), None, scratch("band back", mirror.shape))
    d_band, share = scratch("d_band", mirror.shape), scratch("share", mirror.shape)
    d_band.fill(0)
    for part, copying, patches in _chunks(mirror, dy, "back", scratch):
        _run(copying)
        product(patches, band, dx[part].reshape(-1, band.shape[1]))  # (n·H·W/t, t·C)
        d_band += np.matmul(patches.T, x[part].reshape(-1, band.shape[1]), out=share)
    return d_band


def _mirrored(W: Array) -> Array:
    """(kh, kw, C, O) seen as (kh, kw, O, C), with rows and columns reversed."""
    return W[::-1, ::-1].swapaxes(2, 3)


def _band(bands: Bands, W: Array, b: Array, scratch: Scratch) -> Array:
    """The band matrix of the forward pass, (K, t·O), woven again only if the weights have changed since the last time.

    They change at each step of a training, and never while a network is used. Comparing them takes a fifth of the time
    of weaving.
    """
    band = scratch("band", bands.shape)
    woven_W = scratch("woven W", W.shape, fill=np.nan)  # NaN: equal to nothing, not even to itself
    woven_b = scratch("woven b", b.shape, fill=np.nan)
    if not ((woven_W == W).all() and (woven_b == b).all()):
        bands.weave(W, b, band)
        woven_W[...], woven_b[...] = W, b
    return band


def _chunks(
    bands: Bands, x: Array, name: str, scratch: Scratch, *, keep: bool = False, kept: bool = False
) -> Iterator[tuple[slice, list[Step], Array]]:
    """Cut a batch into chunks of a few pictures.

    Args:
        bands: The layout of the patches.
        x: (N, H, W, C), C-contiguous.
        name: Of the arrays in scratch that hold patches and padding.
        scratch: The memory to work in.
        keep: Whether to keep the patches of all chunks side by side, if they fit into `_KEPT_BYTES`.
        kept: Whether the last call for x had `keep`, so that patches that were kept need not be copied.

    Yields:
        Which pictures; the calls that copy their patches; and the patches, (n·OH·T, K), valid until those of the next
        chunk are copied.
    """
    picture_bytes = prod(bands.tiles) * bands.shape[0] * scratch.dtype.itemsize
    most = max(1, min(_CHUNK_BYTES // picture_bytes, len(x)))
    room = len(x) if (keep or kept) and len(x) * picture_bytes <= _KEPT_BYTES else most
    # 1 is the factor of the bias, and 0 the padding: both are never written to, all else always.
    cols = scratch(f"patches {name}", (room, *bands.tiles, bands.shape[0]), fill=1)
    padded = _padded(bands, most, f"padded {name}", scratch)
    side_by_side = room == len(x)
    for start in range(0, len(x), most):
        pictures = x[start : start + most]
        part = slice(start, start + len(pictures))
        place = cols[part] if side_by_side else cols[: len(pictures)]
        copying: list[Step] = []
        if not (kept and side_by_side):
            if padded is not None:
                inside = padded[: len(pictures), bands.rows.inside, bands.columns.inside]
                copying.append(partial(np.copyto, inside, pictures))
                pictures = padded[: len(pictures)]
            copying.append(partial(np.copyto, *bands.patches(pictures, place)))
        yield part, copying, place.reshape(-1, cols.shape[-1])


def _padded(bands: Bands, count: int, name: str, scratch: Scratch) -> Array | None:
    """Pictures of zeros, in the middle of which `count` pictures fit, (count, *padded input); None without padding."""
    rows, columns = bands.rows, bands.columns
    if rows.padded == rows.size and columns.padded == columns.size:
        return None
    return scratch(name, (count, rows.padded, columns.padded, bands.inputs), fill=0)


def _run(steps: Iterable[Step]) -> None:
    for step in steps:
        step()
