"""Which learning rate suits a recipe: the range test on its own data, network, optimizer and loss."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from core.data.batches import Batches, Split
from core.data.normalize import Normalizer
from core.nn.losses import LOSSES
from core.optim.optimizers import OPTIMIZERS
from core.registry import construct
from core.train.finder import RangeTest, range_test
from pipelines import steps
from pipelines.config import Recipe
from pipelines.references import read_mnist

_BAR = 40
"""Characters of the longest bar."""

_ROWS = 28
"""About so many rows make the chart: four for each power of ten."""


def find_rate(recipe: Recipe, data_dir: Path, mirrors: Sequence[str]) -> RangeTest:
    """Bring the data, and try rates on the training split; images are not augmented, and nothing is kept."""
    mnist = read_mnist(steps.bring(data_dir, mirrors))
    rng = np.random.default_rng(recipe.data.split_seed)
    rows = Split.random(len(mnist.train_images), recipe.data.validation_images, rng).train
    images = mnist.train_images[rows]
    options, rng = recipe.train, np.random.default_rng(recipe.train.seed)
    network = recipe.model.build(rng)
    x = Normalizer.fit(images).apply(images).reshape(-1, *network.input_shape)
    return range_test(
        network,
        construct(OPTIMIZERS, options.optimizer),
        Batches(x, mnist.train_labels[rows], batch_size=options.batch_size, rng=rng),
        loss=partial(construct, LOSSES, options.loss),
        threads=options.threads,
    )


def chart(found: RangeTest) -> str:
    """Rate and loss as text, a bar for each loss; marked are the lowest and the one nearest to the suggestion."""
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
