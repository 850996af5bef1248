"""Charts as inline SVG, drawn by matplotlib and colored by the page's own style sheet; and the learning curves."""

import base64
import io
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from core.train.report import EpochReport
from pipelines.report.formats import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Where the home folder cannot be written, matplotlib recommends at length what does not matter for a few charts.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

_COLORS = {"#000001": "var(--ink)", "#000002": "var(--line)", "#000003": "var(--train)", "#000004": "var(--validation)"}
"""Colors that matplotlib writes, and the page's variable that replaces each: only the page knows light from dark."""

INK, LINE, TRAIN, VALIDATION = _COLORS

_ROOT = (
    'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="540" font-family="sans-serif"'
)
"""What a file of its own must say, and a page says for the charts in it."""

_STANDALONE = {
    "var(--ink)": "#868e96",
    "var(--line)": "#868e9680",
    "var(--train)": "#4dabf7",
    "var(--validation)": "#f08c00",
}

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it takes the page's font, and can be searched and read aloud
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": LINE,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": LINE,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "ytick.major.size": 0,
    "legend.frameon": False,
}

_rc_lock = Lock()
"""matplotlib's settings are global: two reports that are drawn at the same time must not mix theirs."""


@dataclass(frozen=True)
class _Line:
    label: str
    color: str
    style: str
    values: Sequence[float]


@dataclass(frozen=True)
class Margins:
    """Room beside the axes for what is written there, in inches."""

    left: float = 0.62  # a number such as 0.0025, 97.5% or 2×10⁻³
    right: float = 0.15
    top: float = 0.5  # the title and, below it, a factor such as 1e−8, if the numbers have one
    bottom: float = 0.5  # numbers, and what they count

    def around(self, figure: "Figure", width: float, height: float) -> None:
        """Leave it in a figure of this size."""
        figure.subplots_adjust(
            left=self.left / width,
            right=1 - self.right / width,
            top=1 - self.top / height,
            bottom=self.bottom / height,
        )


def learning_curves(history: Sequence[EpochReport]) -> tuple[Markup, ...]:
    """Loss, accuracy and learning rate by epoch.

    Args:
        history: At least one epoch.

    Returns:
        Three `<svg>` elements. The accessible name of each is its title and its last values.
    """
    return tuple(named_curves(history).values())


def named_curves(history: Sequence[EpochReport]) -> dict[str, Markup]:
    """The same, by what each shows."""
    epochs = list(range(1, len(history) + 1))  # the epochs of an ensemble's members follow each other
    loss = _pair([e.train_loss for e in history], [e.validation_loss for e in history])
    accuracy = _pair([e.train_accuracy for e in history], [e.validation_accuracy for e in history])
    rate = [_Line("learning rate", INK, "-", [e.learning_rate for e in history])]
    return {
        "loss": _draw("Loss, in nats", epochs, loss, from_zero=True),
        "accuracy": _draw("Accuracy", epochs, accuracy, percent=True),
        "learning rate": _draw("Learning rate at the end of each epoch", epochs, rate, from_zero=True, height=2.1),
    }


def as_image(svg: Markup) -> str:
    """A chart as an image of its own, a `data:` URI: with fixed colors that can be seen on light and on dark."""
    image = str(svg)
    for variable, color in _STANDALONE.items():
        image = image.replace(variable, color)
    image = image.replace("<svg ", f"<svg {_ROOT} ", 1)
    return f"data:image/svg+xml;base64,{base64.b64encode(image.encode()).decode()}"


def _pair(train: Sequence[float], validation: Sequence[float]) -> list[_Line]:
    # Dashes distinguish them as well: not every reader and not every printer sees color.
    return [_Line("training", TRAIN, "--", train), _Line("validation", VALIDATION, "-", validation)]


def _draw(
    title: str,
    epochs: Sequence[int],
    lines: Sequence[_Line],
    *,
    from_zero: bool = False,
    percent: bool = False,
    height: float = 2.9,
) -> Markup:
    from matplotlib.ticker import MaxNLocator, PercentFormatter  # here, for the reason given in `drawn`

    def plot(axes: "Axes") -> None:
        _plot(axes, epochs, lines)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if from_zero:
            axes.set_ylim(bottom=0)
        if percent:
            axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))

    last = ", ".join(f"{line.label} {number(line.values[-1])}" for line in lines)
    name = f"{title}: after epoch {epochs[-1]}, {last}."
    return drawn(title, name, plot, height=height, margins=Margins())


def drawn(
    title: str,
    name: str,
    plot: Callable[["Axes"], None],
    *,
    height: float = 2.9,
    width: float = 5,
    colors: Mapping[str, str] | None = None,
    margins: Margins | None = None,
) -> Markup:
    """One chart in the report's style.

    Args:
        title: Shown above the chart; different for every chart of a page.
        name: What a screen reader says instead of the chart.
        plot: Draws into the axes.
        height: In inches; a page scales the whole chart, letters included, to the width that it has there.
        width: In inches: for the same place in a page, a smaller one gives larger letters.
        colors: Further colors that `plot` uses, besides ink, line, training and validation, each with its replacement
            in the page. All colors must be different.
        margins: Around the axes; by default as much as all texts need, which takes as long to find out as to draw.

    Returns:
        An `<svg>` element.
    """
    import matplotlib as mpl  # here: it takes half a second to load, and most commands draw nothing
    from matplotlib.figure import Figure

    svg = io.StringIO()
    # The salt makes the ids in the file depend on the chart alone, and differ between the charts of one page.
    with _rc_lock, mpl.rc_context():
        mpl.rcdefaults()  # the user's matplotlibrc must not change the report
        mpl.rcParams.update(_STYLE | {"svg.hashsalt": title})
        figure = Figure(figsize=(width, height), layout=None if margins else "constrained")
        if margins:
            margins.around(figure, width, height)
        axes = figure.subplots()
        plot(axes)
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None})
    return _inline(svg.getvalue(), name, _COLORS | dict(colors or {}))


def _plot(axes: "Axes", epochs: Sequence[int], lines: Sequence[_Line]) -> None:
    dots = "o" if len(epochs) <= 40 else None
    for line in lines:
        axes.plot(
            epochs,
            line.values,
            line.style,
            color=line.color,
            marker=dots,
            markersize=3,
            linewidth=1.8,
            label=line.label,
            clip_on=False,  # a line along the axis keeps its full width
        )
    axes.margins(x=0.02)
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 0.5, epochs[0] + 0.5)  # no tick but the one epoch's
    if len(lines) > 1:
        axes.legend()


def _inline(svg: str, name: str, colors: Mapping[str, str]) -> Markup:
    """A matplotlib SVG file as an element of an HTML page: without prolog, global style and duplicate ids."""
    view_box = re.search(r'viewBox="[^"]*"', svg)
    body = svg[svg.index("<g ") : svg.rindex("</svg>")]
    referred_to = set(re.findall(r"#([\w-]+)", body))  # other ids only number the elements, in each chart from 1
    body = re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in referred_to else "", body)
    for written, shown in colors.items():
        body = body.replace(written, shown)
    opening = f'<svg {view_box[0] if view_box else ""} role="img" aria-label="{escape(name)}">'
    return Markup(opening + body + "</svg>")  # noqa: S704 — drawn by matplotlib from numbers and fixed text alone
