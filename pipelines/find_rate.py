"""Which learning rate suits a recipe: the range test on its own data, network, optimizer and loss."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from core.train.finder import RangeTest, range_test
from pipelines.recipe import Recipe
from pipelines.retrain import steps, training
from pipelines.retrain.run import Run

_BAR = 40
"""Characters of the longest bar."""

_ROWS = 28
"""About how many rows the chart has: four for each power of ten."""


def find_rate(recipe: Recipe, data_dir: Path, mirrors: Sequence[str]) -> RangeTest:
    """Download the data, and try rates on the batches that a training would begin with; nothing is kept.

    For an ensemble, the first member is tried. A teacher is left out: the rates are tried on the labels alone.

    Args:
        recipe: Network, optimizer, loss, batches and seed.
        data_dir: Where the data is kept.
        mirrors: Mirrors to ask before the public ones.
    """
    recipe, *_ = recipe.members()
    dataset = steps.verify(steps.download(data_dir, mirrors))
    start = training.begin(recipe)
    with TemporaryDirectory() as work:
        run = steps.draw(Run.of(dataset, recipe, Path(work)))
        train, _ = training.batches(run.dataset, steps.fit_normalizer(run), recipe, start)
    return range_test(start, train, training.plan(recipe))


def chart(found: RangeTest) -> str:
    """Rates and losses as text, a bar for each loss, with marks at the lowest and at the one nearest the suggestion."""
    lowest = found.losses.index(min(found.losses))
    nearest = min(range(len(found.rates)), key=lambda i: abs(np.log(found.rates[i] / found.suggestion)))
    shown = {*range(0, len(found.rates), max(1, len(found.rates) // _ROWS)), lowest, nearest}
    longest = max(found.losses[i] for i in shown)
    notes = {lowest: "  lowest", nearest: "  suggested"}
    lines = ["    rate    loss"]
    for i in sorted(shown):
        bar = "█" * max(1, round(_BAR * found.losses[i] / longest))
        lines.append(f"{found.rates[i]:8.1e}  {found.losses[i]:6.4f}  {bar}{notes.get(i, '')}")
    return "\n".join(lines)
