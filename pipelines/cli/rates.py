"""`find-rate`: which learning rate suits a recipe."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines import voice
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.order import Order, takes_order
from pipelines.recipe import load_recipe


@reports_errors
@takes_order("recipe", "overrides", "data_dir", "mirrors")
def find_rate(*, as_json: JsonOption = False, **given: Any) -> None:
    """Try learning rates from very small to very large for a few hundred steps, and suggest one for the recipe."""
    from pipelines import find_rate as finding  # here: the other commands need no network and no data

    voice.prepare()
    order = Order(**given)
    recipe = load_recipe(order.recipe, order.overrides)
    found = finding.find_rate(recipe, order.data_dir, order.mirrors)
    if as_json:
        print(json.dumps({"recipe": Path(order.recipe).stem, **asdict(found)}, indent=2))
        return
    print(finding.chart(found))
    show(
        f"\nsuggestion: --set train.learning_rate={found.suggestion:.2g}, a tenth of the rate with the lowest loss "
        f"(the recipe has {recipe.train.learning_rate:g})"
    )
