"""`reproduce`: train a published version again, and see whether it comes out the same."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines import voice
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.engine.observed import Kind, engine_of
from pipelines.order import Order, takes_order

if TYPE_CHECKING:
    from pipelines.reproduce.reproduction import Reproduced

DIFFERENT = 3
"""The exit status if the weights are not the same."""

_TENSORS = 5
"""Tensors that are named to people."""


@reports_errors
@takes_order("repository", "data_dir", "mirrors", "feedback", "extra")
def reproduce(
    *,
    version: Annotated[int, typer.Argument(help="The version's number.", min=1)],
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """Train a version again from its manifest alone, and compare the weights bit for bit; nothing is published.

    On the same kind of machine and with the same code they are identical. Otherwise it is said how far off they are,
    per tensor and in what both read on the test images, and the exit status is 3.
    """
    order = Order(**given)
    voice.prepare()
    with engine_of(Kind.PLAIN, "", {}) as engine:
        from pipelines.reproduce import reproduction

        result = reproduction.reproduce(order, version, engine)
    if as_json:
        print(result.model_dump_json(indent=2))
    else:
        _tell(result)
    if not result.identical:
        raise typer.Exit(DIFFERENT)


def _tell(result: "Reproduced") -> None:
    show(f"\n{result.sentence}")
    show(f"  weights     sha256 {result.reproduced_sha256[:12]}…, published {result.published_sha256[:12]}…")
    found = result.predictions
    accuracy, published = found["reproduced_accuracy"], found["published_accuracy"]
    show(f"  accuracy    {accuracy:.2%} on the test images, published {published:.2%}")
    for tensor in result.tensors[:_TENSORS]:
        if tensor["largest"] is None:
            show(f"  {tensor['name']}: of another shape, or missing")
        else:
            relative = "" if tensor["relative"] is None else f", {tensor['relative']:.1e} of its length"
            show(f"  {tensor['name']}: differs by at most {tensor['largest']:.1e}{relative}")
    if len(result.tensors) > _TENSORS:
        show(f"  and {len(result.tensors) - _TENSORS} more tensors; --json has them all")
