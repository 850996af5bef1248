"""Where the names of lines stand beside a chart, so that none covers another."""

from collections.abc import Sequence

__all__ = ["apart"]


def apart(places: Sequence[float], gap: float) -> list[float]:
    """The places, from 0 to 1, moved as little as needed so that any two lie at least a gap apart."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    # Groups of names that touch, each around the mean of where its names belong (pool adjacent violators).
    groups: list[list[int]] = []
    for i in order:
        groups.append([i])
        while len(groups) > 1 and _bottom(groups[-1], places, gap) < _top(groups[-2], places, gap) + gap:
            groups[-2:] = [groups[-2] + groups[-1]]
    moved = [0.0] * len(places)
    for group in groups:
        bottom = _bottom(group, places, gap)
        for rank, i in enumerate(group):
            moved[i] = bottom + rank * gap
    return moved


def _bottom(group: Sequence[int], places: Sequence[float], gap: float) -> float:
    size = gap * (len(group) - 1)
    return max(0.0, min(sum(places[i] for i in group) / len(group) - size / 2, 1.0 - size))


def _top(group: Sequence[int], places: Sequence[float], gap: float) -> float:
    return _bottom(group, places, gap) + gap * (len(group) - 1)
