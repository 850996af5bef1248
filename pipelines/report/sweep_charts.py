"""The charts of a sweep: how it went, which values matter, and what the best have in common."""

import math
import statistics
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pipelines.report.charts import INK, LINE, TRAIN, VALIDATION, drawn
from pipelines.report.formats import number, percent
from pipelines.sweep.swept import Row, Swept

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["curves", "history", "importances", "parallel", "slices"]

_QUIET = "#000005"
_COLORS = {_QUIET: "var(--quiet)"}

_BEST = 3
"""Trials that stand out."""

_FAR = 4
"""A trial is off the scale if it is so many times as far from the best as the median is."""

_FEW = 4
"""Numbers that are all named beside an axis."""

_LONGEST = 22
"""Characters of a value beside an axis."""


@dataclass(frozen=True)
class _Scale:
    """Where the values of one key lie on an axis from 0 to 1."""

    places: dict[str, float]
    ticks: list[tuple[float, str]]

    def __call__(self, value: str) -> float:
        return self.places[value]


def history(swept: Swept) -> Markup:
    """What each trial came to, and the best so far."""
    title = f"Validation {swept.objective} by trial"
    done = _measured(swept, "complete")
    best, so_far = None, []
    for row, value in done:
        best = value if best is None else _better(swept, best, value)
        so_far.append((row.number, best))
    pruned = _measured(swept, "pruned")

    def plot(axes: "Axes") -> None:
        if pruned:
            axes.scatter(*_points(pruned), s=18, marker="x", linewidths=1, color=_QUIET, label="ended early")
        if done:
            axes.scatter(*_points(done), s=18, color=VALIDATION, label="complete", zorder=3)
            numbers, values = zip(*so_far, strict=True)
            axes.step(numbers, values, where="post", color=TRAIN, linewidth=1.6, label="best so far")
        axes.set_xlabel("trial")
        _limit(axes, swept, [value for _, value in (*done, *pruned)])
        axes.legend()

    name = f"{title}: {len(done)} complete, {len(pruned)} ended early; best {_number(best)}."
    return drawn(title, name, plot, colors=_COLORS)


def curves(swept: Swept) -> Markup:
    """The validation loss of every trial by epoch: what pruning has seen."""
    title = "Validation loss by epoch"
    rows = [row for row in swept.trials if row.losses]
    best = [row.number for row in _ranked(swept)[:_BEST]]

    def plot(axes: "Axes") -> None:
        from matplotlib.ticker import MaxNLocator  # here, for the reason given in `drawn`

        for row in sorted(rows, key=lambda row: row.number in best):
            chosen, early = row.number in best, row.state == "pruned"
            axes.plot(
                range(1, len(row.losses) + 1),
                row.losses,
                color=VALIDATION if chosen else _QUIET,
                linewidth=2 if chosen else 0.8,
                linestyle=":" if early else "-",
                alpha=1 if chosen else 0.7,
                marker="x" if early else None,
                markevery=[len(row.losses) - 1],
                markersize=4,
            )
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        losses = [loss for row in rows for loss in row.losses if math.isfinite(loss)]
        low, middle = min(losses), statistics.median(losses)
        axes.set_ylim(low - 0.1 * (middle - low), min(max(losses), low + _FAR * (middle - low)) + 1e-9)

    name = f"{title}: {len(rows)} trials; dotted ones were ended early, strong ones are the best {len(best)}."
    return drawn(title, name, plot, colors=_COLORS)


def importances(swept: Swept) -> Markup:
    """How much each key matters for being among the best."""
    title = "What matters most"
    shares = sorted(swept.importances.items(), key=lambda entry: entry[1])

    def plot(axes: "Axes") -> None:
        axes.barh([_short(key) for key, _ in shares], [share for _, share in shares], color=VALIDATION, height=0.6)
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.set_xlabel("share (PED-ANOVA)")
        axes.set_xlim(0, 1)

    words = ", ".join(f"{key} {percent(share, 0)}" for key, share in reversed(shares))
    return drawn(title, f"{title}: {words}.", plot, height=1.1 + 0.35 * len(shares))


def parallel(swept: Swept) -> Markup:
    """Every trial as a line through its values: what the best have in common."""
    title = "Values of all trials"
    rows = [row for row, _ in (*_measured(swept, "complete"), *_measured(swept, "pruned"))]
    ranked = _ranked(swept)
    best = {row.number: place for place, row in enumerate(ranked[:_BEST])}
    keys = list(swept.trials[0].values)
    scales = {key: _scale([row.values[key] for row in rows]) for key in keys}
    measures = [value for row in ranked if (value := row.measure(swept.objective)) is not None]
    low, high = (min(measures), max(measures)) if measures else (0.0, 1.0)
    low, high = (low, _reach(low, measures, high)) if swept.objective == "loss" else (low, high)

    def height(row: Row) -> list[float]:
        places = [scales[key](row.values[key]) for key in keys]
        value = row.measure(swept.objective)
        if row.state != "complete" or value is None:
            return places
        return [*places, min(1.0, (value - low) / ((high - low) or 1))]

    def plot(axes: "Axes") -> None:
        for row in sorted(rows, key=lambda row: (row.number in best, row.state == "complete")):
            chosen = row.number in best
            heights = height(row)
            axes.plot(
                range(len(heights)),
                heights,
                color=VALIDATION if chosen else _QUIET,
                linewidth=2.4 - 0.5 * best[row.number] if chosen else 0.7,
                alpha=1 if chosen else 0.55 if row.state == "complete" else 0.3,
                linestyle="-" if row.state == "complete" else ":",
                zorder=3 if chosen else 2,
            )
        ticks = [*(scales[key].ticks for key in keys), [(0.0, _number(low)), (1.0, _number(high))]]
        for place, marks in enumerate(ticks):
            axes.axvline(place, color=LINE, linewidth=1, zorder=1)
            for at, text in marks:
                axes.annotate(text, (place, at), xytext=(3, 2), textcoords="offset points", fontsize=7, color=INK)
        axes.set_xticks(range(len(keys) + 1), [*map(_stacked, keys), f"validation\n{swept.objective}"], fontsize=7)
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
        axes.set_xlim(-0.05, len(keys) + 0.45)

    values = "; ".join(", ".join(f"{key} = {row.values[key]}" for key in keys) for row in ranked[:_BEST])
    return drawn(title, f"{title}. The best {len(best)}: {values}.", plot, height=3.4, colors=_COLORS)


def slices(swept: Swept) -> list[Markup]:
    """For each key, what the trials came to by its value."""
    return [_slice(swept, key) for key in swept.trials[0].values]


def _slice(swept: Swept, key: str) -> Markup:
    title = f"By {key}"
    done, early = _measured(swept, "complete"), _measured(swept, "pruned")
    best = {row.number for row in _ranked(swept)[:_BEST]}
    scale = _scale([row.values[key] for row, _ in (*done, *early)])

    def plot(axes: "Axes") -> None:
        for rows, color, marker in ((early, _QUIET, "x"), (done, VALIDATION, "o")):
            if rows:
                sizes = [46 if row.number in best else 16 for row, _ in rows]
                places = [scale(row.values[key]) for row, _ in rows]
                axes.scatter(places, [value for _, value in rows], s=sizes, color=color, marker=marker, linewidths=1)
        axes.set_xticks([at for at, _ in scale.ticks], [text for _, text in scale.ticks])
        axes.set_xlim(-0.06, 1.06)
        axes.set_ylabel(f"validation {swept.objective}")
        _limit(axes, swept, [value for _, value in (*done, *early)])

    ranked = _ranked(swept)
    name = f"{title}: of {len(done) + len(early)} trials, the best has {ranked[0].values[key] if ranked else 'none'}."
    return drawn(title, name, plot, height=2.4, colors=_COLORS)


def _scale(values: Sequence[str]) -> _Scale:
    """Numbers by their size, or by its logarithm if they differ more than fivefold; anything else evenly."""
    parsed: dict[str, Any] = {value: tomllib.loads(f"v = {value}")["v"] for value in values}
    numeric = all(isinstance(one, int | float) and not isinstance(one, bool) for one in parsed.values())
    if not numeric or len(parsed) < 2:
        ordered = sorted(parsed)
        places = {value: (i / (len(ordered) - 1) if len(ordered) > 1 else 0.5) for i, value in enumerate(ordered)}
        return _Scale(places, [(place, _label(value)) for value, place in places.items()])
    low, high = min(parsed.values()), max(parsed.values())
    log = low > 0 and high / low > 5
    transform = math.log if log else float
    start, span = transform(low), transform(high) - transform(low)
    places = {value: (transform(one) - start) / span for value, one in parsed.items()}
    if len(parsed) <= _FEW:
        return _Scale(places, [(place, _number(parsed[value], 3)) for value, place in places.items()])
    back = (low * high) ** 0.5 if log else (low + high) / 2
    return _Scale(places, [(0.0, _number(low, 3)), (0.5, _number(back, 3)), (1.0, _number(high, 3))])


def _measured(swept: Swept, state: str) -> list[tuple[Row, float]]:
    rows = ((row, row.measure(swept.objective)) for row in swept.trials if row.state == state)
    return [(row, value) for row, value in rows if value is not None and math.isfinite(value)]


def _ranked(swept: Swept) -> list[Row]:
    """The complete trials, the best first."""
    done = sorted(_measured(swept, "complete"), key=lambda entry: entry[1], reverse=swept.objective == "accuracy")
    return [row for row, _ in done]


def _points(rows: Sequence[tuple[Row, float]]) -> tuple[list[int], list[float]]:
    return [row.number for row, _ in rows], [value for _, value in rows]


def _better(swept: Swept, one: float, other: float) -> float:
    return min(one, other) if swept.objective == "loss" else max(one, other)


def _reach(low: float, values: Sequence[float], high: float) -> float:
    """How far the scale of losses goes: trials far off would press all others together."""
    return min(high, low + _FAR * (statistics.median(values) - low)) if len(values) > 2 else high


def _limit(axes: "Axes", swept: Swept, values: Sequence[float]) -> None:
    if len(values) < 3:
        return
    low, high, middle = min(values), max(values), statistics.median(values)
    if swept.objective == "loss":
        high = min(high, low + _FAR * (middle - low))
    else:
        low = max(low, high - _FAR * (high - middle))
    margin = 0.06 * (high - low) or 1e-3
    axes.set_ylim(low - margin, high + margin)


def _number(value: float | None, digits: int = 4) -> str:
    return "none" if value is None else number(value, digits)


def _short(key: str) -> str:
    return key.split(".", 1)[-1]


def _stacked(key: str) -> str:
    """The key in lines as short as a column."""
    return _short(key).replace(".", ".\n").replace("_", "_\n")


def _label(value: str) -> str:
    plain = value.strip('"')
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"
