"""Charts as inline SVG, drawn by matplotlib and colored by the page's own style sheet."""

import io
import re
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = {"#000001": "var(--ink)", "#000002": "var(--line)", "#000003": "var(--train)", "#000004": "var(--validation)"}
"""Colors that matplotlib writes, and what each becomes: the page knows whether it is light or dark."""

INK, LINE, TRAIN, VALIDATION = _COLORS

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it takes the page's font, and can be found and read aloud
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
"""matplotlib's settings belong to the process: two reports that are drawn at once must not mix theirs."""


def draw(paint: Callable[["Figure"], None], *, title: str, name: str, height: float) -> Markup:
    """One chart.

    Args:
        paint: Fills the figure, with the colors of this module alone.
        title: Differs between the charts of one page.
        name: What those hear who do not see it.
        height: In inches, for a width of 5.

    Returns:
        An `<svg>` element. Equal input gives equal bytes.
    """
    import matplotlib as mpl  # here: it takes half a second to load, and most commands draw nothing
    from matplotlib.figure import Figure

    svg = io.StringIO()
    # The salt makes the ids in the file depend on the picture alone, and differ between the pictures of one page.
    with _rc_lock, mpl.rc_context():
        mpl.rcdefaults()  # a matplotlibrc that someone has must not change the report
        mpl.rcParams.update(_STYLE | {"svg.hashsalt": title})
        figure = Figure(figsize=(5, height), layout="constrained")
        paint(figure)
        figure.axes[0].set_title(title, loc="left", fontsize=11, fontweight="bold")
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None})
    return _inline(svg.getvalue(), name)


def _inline(svg: str, name: str) -> Markup:
    """A matplotlib SVG file as an element of an HTML page: no prolog, no style for other elements, no id twice."""
    view_box = re.search(r'viewBox="[^"]*"', svg)
    body = svg[svg.index("<g ") : svg.rindex("</svg>")]
    referred_to = set(re.findall(r"#([\w-]+)", body))  # other ids only number the elements, in each picture from 1
    body = re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in referred_to else "", body)
    for written, shown in _COLORS.items():
        body = body.replace(written, shown)
    opening = f'<svg {view_box[0] if view_box else ""} role="img" aria-label="{escape(name)}">'
    return Markup(opening + body + "</svg>")  # noqa: S704 — drawn by matplotlib, from numbers and our own words alone
