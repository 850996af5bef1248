"""`Plan`: what a sweep is to do, besides the order that says with which recipe and where."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipelines import provenance
from pipelines.order import Order
from pipelines.recipe import load_recipe, recipe_path
from pipelines.references import DatasetRef
from pipelines.sweep.choices import Objective, Pruner
from pipelines.sweep.space import Space

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """What a sweep does.

    Attributes:
        space: What is tried.
        trials: How many trials there are in all, those of earlier runs included.
        objective: What is judged, on the validation images.
        pruner: What ends trials early.
        seed: Decides all random choices of the sweep; the trainings have the recipe's.
        timeout: After this time, no further trial is begun; None is never.
        output: The file of the report; None is `report.html` in the sweep's folder.
        publish: Whether the best is published as challenger.
    """

    space: Space
    trials: int
    objective: Objective = "loss"
    pruner: Pruner = "median"
    seed: int = 0
    timeout: timedelta | None = None
    output: Path | None = None
    publish: bool = True

    def name(self, order: Order, dataset: DatasetRef) -> str:
        """Of the sweep's folder: the same for everything that decides its trials, whatever their number."""
        recipe = load_recipe(order.recipe, order.overrides)
        deciding = [
            provenance.fingerprint(dataset.deciding, recipe),
            self.space.sha256,
            self.objective,
            self.pruner,
            self.seed,
        ]
        digest = hashlib.sha256(json.dumps(deciding).encode()).hexdigest()
        return f"{recipe_path(order.recipe).stem}-{digest[:12]}"
