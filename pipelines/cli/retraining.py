"""`retrain`: a retraining now."""

from typing import Any

from pipelines import engine
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.order import Order, takes_order
from pipelines.recipe import load_recipe


@reports_errors
@takes_order()
def retrain(*, as_json: JsonOption = False, **given: Any) -> None:
    """Train a version, evaluate and publish it, and promote it unless it is worse than the champion.

    Nothing is done again if data, recipe and code are those of a published version. The exit status is 0 even if the
    new version is rejected: it is published for inspection, and the champion stays.
    """
    order = Order(**given)
    load_recipe(order.recipe, order.overrides)  # reports a mistake in them before Prefect starts
    engine.prepare()
    engine.check_server()
    from pipelines.retrain.flow import retrain as flow  # Prefect takes a second to import

    result = flow(**order.parameters)
    if as_json:
        print(result.model_dump_json(indent=2))
        return
    stages = " · ".join(f"{stage} {seconds:.1f} s" for stage, seconds in result.seconds.items())
    standing = "the champion" if result.promoted else "not the champion"
    show(
        f"\n{result.outcome}: version {result.version}, {standing}, "
        f"test accuracy {result.metrics['test_accuracy']:.2%}\n  report  {result.report}\n  time    {stages}\n"
        f"  next    python -m service serve --repository {result.repository}"
    )
