"""Newcombe's interval: by how much two shares differ, of which each was measured on images of its own."""

from math import hypot

__all__ = ["newcombe_interval"]


def newcombe_interval(
    share: float, interval: tuple[float, float], other: float, other_interval: tuple[float, float]
) -> tuple[float, float]:
    """The interval of the difference of two independent proportions, `share` − `other`.

    It is made from the score intervals of both (Newcombe 1998, "Interval estimation for the difference between
    independent proportions", method 10). Two such intervals may overlap although their proportions differ: that they do
    not is a far stricter condition.

    Args:
        share: A proportion, 0 to 1.
        interval: Its Wilson interval, (low, high).
        other: Another proportion.
        other_interval: Its Wilson interval, of the same confidence.

    Returns:
        (low, high), within −1 and 1, of the same confidence. Measured on the same images, two networks tend to err
        on the same ones, and the interval is rather too wide.
    """
    (low, high), (other_low, other_high) = interval, other_interval
    difference = share - other
    return difference - hypot(share - low, other_high - other), difference + hypot(high - share, other - other_low)
