"""How much worse than another version one may be, by what both read on the same images: an exact bound.

Of n images, b are classified correctly by the rival alone and c by the challenger alone; on the others both are right
or both wrong, and these say nothing. The accuracies differ by Δ = p_c − p_b, which (c − b) / n estimates. With p_b, p_c
and the rest, (b, c, n − b − c) is trinomial. On different images, the two accuracies would be independent, and their
difference less certain, because what is hard to read would not be the same for both.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log, sqrt
from typing import Self

import numpy as np
from numpy.typing import NDArray

_Counts = NDArray[np.integer]

_NUISANCE_ERROR = 1e-3
"""β of Berger and Boos: the probability that the share of discordant images lies outside the interval searched."""

_SHARES = 21
"""How many shares of discordant images within that interval are tried. The p-value varies slowly between them."""

_TAIL = 8.0, 30.0
"""Standard deviations, and counts, beyond which results are not summed: together they have less than 10⁻¹² of all."""

_HALVINGS = 11
"""Of the interval in which the bound is searched, which is 24 standard errors wide: to a hundredth of one."""

_SHARE_HALVINGS = 40
"""Of the interval from 0 to 1 in which an end of the interval of θ is searched."""


@dataclass(frozen=True)
class Pairs:
    """How often two versions disagree on the same images.

    Attributes:
        count: n, the images.
        lost: b, those that only the rival classifies correctly.
        gained: c, those that only the challenger classifies correctly.
    """

    count: int
    lost: int
    gained: int

    @classmethod
    def of(cls, challenger: NDArray[np.bool_], rival: NDArray[np.bool_]) -> Self:
        """From (N,) bool each: whether the version classifies each image correctly."""
        return cls(len(rival), int((rival & ~challenger).sum()), int((challenger & ~rival).sum()))

    @property
    def difference(self) -> float:
        """(c − b) / n: how much more accurate the challenger was."""
        return (self.gained - self.lost) / self.count

    @property
    def step(self) -> float:
        """The standard error of the difference if both were equally good, √(b + c) / n.

        It is the step of the parameter-free Ladder (Blum & Hardt 2015, "The Ladder: A Reliable Leaderboard for Machine
        Learning Competitions"): the standard deviation of the paired losses' difference, over √n.
        """
        return sqrt(self.lost + self.gained) / self.count


def least_images(margin: float, confidence: float) -> int:
    """How many images are needed to show a margin: with fewer, not even versions that always agree pass.

    A version that is worse by the margin agrees with its rival on all n images with probability (1 − margin)ⁿ at most,
    to which `p_value` adds β. A margin of 0 asks for an improvement, which versions that agree never show: 1.
    """
    if not 0 < margin < 1:
        return 1
    return max(1, ceil(log(1 - confidence - _NUISANCE_ERROR) / log(1 - margin)))


@lru_cache(maxsize=256)  # of the same few pairs, a check asks for the p-value, and its sentence for the bound
def lower_bound(pairs: Pairs, confidence: float) -> float:
    """The one-sided lower confidence bound of Δ: every smaller difference is refuted by `p_value`.

    Args:
        pairs: What was observed.
        confidence: E.g. 0.95: in so many of 100 cases at least, the true difference lies above the bound.

    Returns:
        −1 to the observed difference.
    """
    low, high = -1.0, pairs.difference
    width = min(1 + high, 24 * sqrt(pairs.lost + pairs.gained + 9) / pairs.count)
    if p_value(pairs, width - high) <= 1 - confidence:  # nearly always; otherwise the whole range is searched
        low = high - width
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if p_value(pairs, -middle) <= 1 - confidence:
            low = middle
        else:
            high = middle
    return low


def p_value(pairs: Pairs, margin: float) -> float:
    """The probability of a result at least as good for the challenger as this one, if Δ were −margin; at most 1.

    The unconditional exact test of non-inferiority for paired proportions (Hsueh, Liu & Chen 2001, Biometrics 57:478;
    Sidik 2003, Statistics in Medicine 22:265). Results (b, c) are ordered by Tango's score statistic (Tango 1998,
    Statistics in Medicine 17:891),

        z(b, c) = (c − b + n m) / √(n (2q − m (m + 1)))      with q the most likely p_b if p_c = p_b − m

    and the p-value is the largest probability, over all shares θ = p_b + p_c of discordant images, of the results
    with a z at least as large. θ is sought in its Clopper-Pearson interval of confidence 1 − β, and β is added
    (Berger & Boos 1994, JASA 89:1012): the error is still at most what the p-value says, for any n and any θ, which no
    formula with a normal distribution guarantees.

    Args:
        pairs: b, c and n.
        margin: m; a negative one asks whether the challenger is better by so much.
    """
    n, m = pairs.count, margin
    if m >= 1:
        return 0.0
    if m <= -1:
        return 1.0
    low, high = _share_interval(pairs.lost + pairs.gained, n)
    shares = np.linspace(max(low, abs(m)), max(high, abs(m)), _SHARES)
    b, c = _cells(n, shares, m)
    observed = _score(np.array(pairs.lost), np.array(pairs.gained), n, m)
    as_good = _score(b, c, n, m) >= observed - 1e-9  # equal scores, though rounded differently, count
    b, c = b[as_good], c[as_good]
    ways = _log_ways(n, b, c)
    sums = [
        np.exp(ways + _times(b, (s + m) / 2) + _times(c, (s - m) / 2) + _times(n - b - c, 1 - s)).sum() for s in shares
    ]
    return min(1.0, float(max(sums)) + _NUISANCE_ERROR)


def _score(b: _Counts, c: _Counts, n: int, m: float) -> NDArray[np.float64]:
    """Tango's z for p_c − p_b = −m.

    q is the larger root of 2n q² + B q + C, where the likelihood q^b (q − m)^c (1 − 2q + m)^(n − b − c) has its
    maximum.
    """
    B = -(b + c) - (2 * n + b - c) * m
    C = b * m * (m + 1)
    q = (np.sqrt(np.maximum(B * B - 8 * n * C, 0)) - B) / (4 * n)
    deviation, variance = c - b + n * m, np.maximum(n * (2 * q - m * (m + 1)), 1e-12)  # 0 only if no image can differ
    z: NDArray[np.float64] = deviation / np.sqrt(variance)
    return z


def _cells(n: int, shares: NDArray[np.float64], m: float) -> tuple[_Counts, _Counts]:
    """All (b, c) that are not all but impossible at one of these shares, each as (cells,)."""
    spreads, counts = _TAIL
    ranges = []
    for p in ((shares + m) / 2, (shares - m) / 2):
        reach = spreads * np.sqrt(n * p.max()) + counts
        ranges.append(np.arange(max(0, int(n * p.min() - reach)), min(n, int(n * p.max() + reach)) + 1))
    b, c = (grid.ravel() for grid in np.meshgrid(*ranges, indexing="ij"))
    possible = b + c <= n
    return b[possible], c[possible]


@lru_cache(maxsize=256)
def _share_interval(count: int, n: int) -> tuple[float, float]:
    """The interval of a share of which `count` of n were found, with confidence 1 − β (Clopper & Pearson 1934)."""
    k = np.arange(n + 1)
    ways = _log_ways(n, k)

    def at_most(last: int, p: float) -> float:
        return float(np.exp(ways + _times(k, p) + _times(n - k, 1 - p))[: last + 1].sum())

    def crossing(last: int, probability: float) -> float:
        """The p with which at most `last` of n are found with this probability, which falls as p grows."""
        low, high = 0.0, 1.0
        for _ in range(_SHARE_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if at_most(last, middle) > probability else (low, middle)
        return (low + high) / 2

    half = _NUISANCE_ERROR / 2
    return crossing(count - 1, 1 - half) if count else 0.0, crossing(count, half) if count < n else 1.0


def _log_ways(n: int, *parts: _Counts) -> NDArray[np.float64]:
    """The logarithm of n! / (part! … rest!): in how many orders n images fall into these parts and the rest."""
    logs, rest = _log_factorials(n), n - sum(parts)
    ways: NDArray[np.float64] = logs[n] - sum(logs[part] for part in parts) - logs[rest]
    return ways


@lru_cache(maxsize=8)
def _log_factorials(n: int) -> NDArray[np.float64]:
    """log k! for k from 0 to n."""
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])


def _times(count: _Counts, p: float) -> NDArray[np.float64]:
    """count · log p, where 0 · log 0 is 0."""
    logarithm = log(p) if p > 0 else -np.inf
    return np.multiply(count, logarithm, out=np.zeros(count.shape), where=count > 0)
