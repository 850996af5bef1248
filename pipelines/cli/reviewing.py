"""`feedback …`: look at new pictures, and decide which ones are trained on."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from core.errors import ConfigError, FeedbackError, ReviewError
from core.feedback import FeedbackFolder
from pipelines import voice
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.new_data.admission import Sifted, sift
from pipelines.new_data.gather import gather
from pipelines.new_data.item import NewItem
from pipelines.new_data.review_rows import SHOWN, named, rows_of
from pipelines.new_data.reviews import Reviews
from pipelines.new_data.trust import Sorted
from pipelines.order import Order, takes_order
from pipelines.recipe import load_recipe
from pipelines.references import DatasetRef, read_mnist
from pipelines.settings import Settings

app = typer.Typer(
    help="Look at new pictures that the judge of a retraining holds back, and accept or reject them.",
    no_args_is_help=True,
)

_takes_new_data = takes_order("recipe", "overrides", "data_dir", "mirrors", "feedback", "extra")

NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="NAME…", help="Names of pictures, or their first 8 digits or more.")
]
AllHeldOption = Annotated[bool, typer.Option("--all-held", help="All pictures that wait for a decision.")]


@app.command("list")
@reports_errors
@_takes_new_data
def list_pictures(
    *,
    held: Annotated[
        bool, typer.Option("--held/--all", help="Those that wait for a decision, or all new pictures.")
    ] = True,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Also write a page with the pictures to this file.")
    ] = None,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """List new pictures: what they are said to show, what the judge reads, and why they are held."""
    voice.prepare()
    order = Order(**given)
    sifted, received = _sifted(order)
    rows = [row for row in rows_of(sifted, received) if row.held or not held]
    if page:
        from pipelines.report.review_page import render_review  # imports matplotlib, which takes a second

        judge = sifted.judge
        words = f"{judge.description}, weights sha256 {judge.sha256[:12]}" if judge else None
        _write(page, render_review(rows, words, _flags(order)))
        show(f"page written: {page}")
    if as_json:
        print(json.dumps([row.document for row in rows], indent=2))
        return
    if not rows:
        show(f"no picture waits for a decision, of {len(sifted.items):,} new ones")
        return
    table = Table("name", "digit", "read as", "sure", "received (UTC)", "status", box=None)
    for row in rows:
        found = row.judgement
        reading = (str(found.read), f"{found.confidence:.1%}") if found else ("", "")
        when = f"{row.received:%Y-%m-%d %H:%M}" if row.received else ""
        table.add_row(row.item.name[:SHOWN], str(row.item.label), *reading, when, row.status)
    Console().print(table, markup=False)
    for group in sifted.found.held_groups:
        show(f"held as a whole: {group}")


@app.command()
@reports_errors
@_takes_new_data
def accept(*, names: NamesArgument = None, all_held: AllHeldOption = False, **given: Any) -> None:
    """Train on pictures whatever the judge says about them."""
    order = Order(**given)
    chosen = _chosen(order, names or [], all_held)
    Reviews(order.data_dir).accept(chosen)
    show(f"accepted: {_counted(len(chosen))}; the next retraining learns from them, as far as its caps allow")


@app.command()
@reports_errors
@_takes_new_data
def reject(*, names: NamesArgument = None, all_held: AllHeldOption = False, **given: Any) -> None:
    """Never train on pictures, and remove them from the feedback folder."""
    order = Order(**given)
    chosen = _chosen(order, names or [], all_held)
    Reviews(order.data_dir).reject(chosen)  # before they are removed, so that an interruption leaves none undecided
    show(f"rejected: {_counted(len(chosen))}; they are never trained on")
    if not order.feedback:
        return
    folder = FeedbackFolder(order.feedback)
    try:
        for name in set(folder.names()) & set(chosen):
            folder.discard(name)
    except FeedbackError as error:
        show(f"their files stay: {error}")


def _sifted(order: Order) -> tuple[Sifted, dict[str, datetime]]:
    """The new pictures as a retraining would sort them now; and when users sent them, by name."""
    recipe = load_recipe(order.recipe, order.overrides)
    if order.feedback and not order.extra and not FeedbackFolder(order.feedback).names():
        return Sifted((), None, {}, Sorted((), ())), {}  # without MNIST, with which new pictures are compared
    items, dataset = _offered(order)
    return sift(items, dataset, recipe, order.data_dir, Settings().pretrained, voice.say), _received(order)


def _offered(order: Order) -> tuple[Sequence[NewItem], DatasetRef]:
    """The new pictures that may be learned from, and the data set that they would be added to."""
    if not (order.feedback or order.extra):
        raise ConfigError("there is no folder with new pictures; name it with --feedback or --extra")
    from pipelines.retrain import steps  # imports all that a retraining needs

    dataset = steps.verify(steps.download(order.data_dir, order.mirrors))
    found = gather(order.feedback, order.extra, read_mnist(dataset.files), order.data_dir, voice.say)
    return found.items, dataset


def _received(order: Order) -> dict[str, datetime]:
    """When users sent pictures, by name."""
    if not order.feedback:
        return {}
    found = FeedbackFolder(order.feedback).sound()
    return {item.name: item.received for item in found if not isinstance(item, FeedbackError)}


def _chosen(order: Order, prefixes: list[str], all_held: bool) -> list[str]:
    """The full names of the pictures that a command is about."""
    if bool(prefixes) == all_held:
        raise ReviewError("name the pictures, or give --all-held, and not both")
    voice.prepare()
    if all_held:
        return [one.item.name for one in _sifted(order)[0].found.held]
    # Of what users sent, damaged items and those that contradict each other are among them.
    known = FeedbackFolder(order.feedback).names() if order.feedback else []
    if order.extra or not known:
        known += [item.name for item in _offered(order)[0]]
    return named(prefixes, list(dict.fromkeys(known)))


def _flags(order: Order) -> list[str]:
    """The options with which another command finds the same pictures, as far as the environment does not say so."""
    usual = Order()
    flags = []
    if order.data_dir != usual.data_dir:
        flags += ["--data-dir", str(order.data_dir)]
    if order.feedback and order.feedback != usual.feedback:
        flags += ["--feedback", str(order.feedback)]
    if order.extra != usual.extra:
        flags += [word for folder in order.extra for word in ("--extra", str(folder))]
    return flags


def _write(page: Path, content: bytes) -> None:
    try:
        page.write_bytes(content)
    except OSError as error:
        raise ReviewError(f"cannot write the page {page}: {error.strerror or error}") from error


def _counted(pictures: int) -> str:
    return f"{pictures:,} picture{'' if pictures == 1 else 's'}"
