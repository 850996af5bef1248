"""Stroke width: how to measure it, and how to bring it into a given range."""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

MOST_THINNING = 0.35  # of a stroke's width: more would break brush strokes at their thinner places


def mean_thickness(area: Doubles, edges: Doubles) -> Doubles:
    """Mean stroke width, in pixels, of shapes with `area` pixels and `edges` pixel edges around them; same shapes.

    A stroke of width t and length l has an area of t·l and an outline of about 2·l. Pixel edges are 4/π longer than
    the smooth outline, averaged over directions (Cauchy-Crofton).
    """
    thickness: Doubles = 2 * area / np.maximum(edges * (np.pi / 4), 1)
    return thickness


def even_strokes(mask: Mask, thinnest: float, thickest: float) -> Floats:
    """Thicken or thin all strokes equally until their mean width, in pixels, lies between two bounds.

    Args:
        mask: The strokes, (H, W), with room around them for growing.
        thinnest: Strokes below grow to this width.
        thickest: Strokes above shrink to this width, but by no more than `MOST_THINNING`.

    Returns:
        How much of each pixel is ink, 0 … 1, (H, W).
    """
    edges = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    width = float(mean_thickness(np.array(np.count_nonzero(mask)), np.array(edges)))
    growth = (min(max(width, thinnest), thickest) - width) / 2  # on either side
    if growth >= 0:
        inked = growth + 1 - distance(~mask, int(growth) + 2)
    else:
        loss = min(-growth, MOST_THINNING * width / 2)
        inked = distance(mask, int(loss) + 2) - loss
    share: Floats = np.clip(inked, 0, 1)
    return share


def distance(mask: Mask, reach: int) -> Floats:
    """Euclidean distance of each pixel (H, W) to the nearest one outside `mask`, at most `reach` pixels.

    Separable, after Felzenszwalb & Huttenlocher, "Distance Transforms of Sampled Functions" (2012), section 3. The
    lower envelope is found by trying every shift up to `reach`: fast for the few pixels that a stroke is wide.
    """
    squared = np.where(mask, np.float32(reach**2), np.float32(0))
    for _ in range(2):  # down the columns, then along the rows
        padded = np.pad(squared, ((reach, reach), (0, 0)), constant_values=reach**2)
        rows = len(squared)
        for shift in range(1, reach):
            squared = np.minimum(squared, padded[reach - shift :][:rows] + np.float32(shift**2))
            squared = np.minimum(squared, padded[reach + shift :][:rows] + np.float32(shift**2))
        squared = squared.T
    return np.sqrt(squared)
