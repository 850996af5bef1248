"""Bounds of a share that hold at every look, however often one looks, and for any number of observations.

A canary is looked at every minute, and the first look at which it seems good enough ends it. With an ordinary
confidence interval, such as Clopper and Pearson's, each look would be another chance of a mistake, and after enough
looks one would be made. A confidence sequence holds at all looks together.

Of independent observations with probability p, of which x among the first n were positive, the ratio of the average
likelihood over all probabilities (0 to 1, uniform) to the likelihood of p,

    M_n(p) = ∫ q^x (1 − q)^(n − x) dq / (p^x (1 − p)^(n − x)) = B(x + 1, n − x + 1) / (p^x (1 − p)^(n − x)),

is a martingale that begins at 1. So it ever reaches 1/ε with probability ε at most (J. Ville, "Étude critique de la
notion de collectif", 1939), and the set of all p with M_n(p) < 1/ε contains the true one at all n together with
probability 1 − ε (H. Robbins, "Statistical methods related to the law of the iterated logarithm", Ann. Math. Statist.
41:1397, 1970; S. R. Howard et al., "Time-uniform, nonparametric, nonasymptotic confidence sequences", Ann. Statist.
49:1055, 2021). Nothing is approximated: it is as true of three pictures as of three million.
"""

from math import inf, lgamma, log

__all__ = ["Interval", "difference", "share_bounds"]

Interval = tuple[float, float]
"""The lower and the upper end."""

_HALVINGS = 50
"""Of an interval of length 1 at most, in which an end is searched."""


def share_bounds(positive: int, count: int, error: float) -> Interval:
    """Between which bounds a probability lies, with probability 1 − error at all looks together.

    Args:
        positive: x, how many of the observations were positive.
        count: n, how many there were; with none, the bounds are 0 and 1.
        error: ε.
    """
    found = positive / count if count else 0.5
    negative = count - positive
    most = _log_beta(positive + 1, negative + 1) - log(1 / error)

    def excluded(p: float) -> bool:
        """Whether M(p) ≥ 1/ε. On either side of x/n, it grows with the distance."""
        return _times(positive, p) + _times(negative, 1 - p) <= most

    def end(outside: float) -> float:
        """Between an end of the range and x/n, where M crosses 1/ε."""
        if not excluded(outside):
            return outside
        inside = found
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            if excluded(middle):
                outside = middle
            else:
                inside = middle
        return outside

    return end(0.0), end(1.0)


def difference(new: tuple[int, int], old: tuple[int, int], error: float) -> Interval:
    """Between which bounds the difference of two probabilities lies, new − old, likewise.

    Each of the two lies within its own bounds with probability 1 − error/2, so both do with probability 1 − error
    (Bonferroni), whatever the two have to do with each other.

    Args:
        new: Positive observations, and all of them.
        old: Likewise, of what it is compared with.
        error: ε.
    """
    (low, high), (low_before, high_before) = (share_bounds(*each, error / 2) for each in (new, old))
    return low - high_before, high - low_before


def _log_beta(a: int, b: int) -> float:
    """log B(a, b)"""
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _times(count: int, p: float) -> float:
    """count · log p, where 0 · log 0 is 0."""
    if not count:
        return 0.0
    return count * log(p) if p > 0 else -inf
