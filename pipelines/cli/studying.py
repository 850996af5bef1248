"""`study`: variants of one training side by side, on one page."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from core.local_path import local_path
from pipelines import voice
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.order import Order, takes_order


@reports_errors
@takes_order("overrides", "data_dir", "mirrors")
def study(
    *,
    family: Annotated[
        str | None,
        typer.Argument(
            metavar="[FAMILY]",
            help="initialization, activation, learning-rate, depth, optimizer, regularization, batch-size or "
            "normalization; none with --vary.",
        ),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", metavar="KEY=A,B,C", help="Values of any key of a recipe; repeat it for a grid."),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="With --vary: the recipe that is varied, by default mlp.")
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Training images of each variant; by default, a few thousand."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Variants at a time; by default, one for each processor.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE.html", help="The page; by default in the data folder, below study/."),
    ] = None,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """Train variants of a network side by side, and compare them on one page; nothing is published.

    All variants are trained on the same part of MNIST. What an earlier study has trained is not trained again.
    """
    # Here: the other commands need neither the network nor, for the page, matplotlib.
    from core.data.durable import write_whole
    from pipelines.report.study_page import render_study
    from pipelines.study.comparison import Comparison
    from pipelines.study.question import Question

    order = Order(**given)
    question = Question.asked(family, vary or [], recipe, order.overrides, images)
    page = local_path(output or order.data_dir / "study" / f"{question.name}.html", "--output").resolve()
    voice.prepare()
    compared = Comparison.made(question, order, workers)
    write_whole(page, render_study(compared))
    if as_json:
        print(json.dumps(compared.document | {"page": str(page)}, indent=2))
        return
    show("\n" + "\n".join(compared.conclusions))
    show(f"  page    {page}")
