"""`feedback …`: look at new pictures, and decide which ones are trained on."""

import json
from collections import Counter
from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from core.errors import ConfigError, ReviewError
from core.feedback import FeedbackFolder
from core.local_path import local_path
from pipelines import voice
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.new_data.admission import Sifted, sift
from pipelines.new_data.collected import Collected
from pipelines.new_data.gather import gather
from pipelines.new_data.item import counted
from pipelines.new_data.review_rows import SHOWN, named, rows_of
from pipelines.new_data.reviews import Reviews
from pipelines.new_data.trust import Reason, Sorted
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
    page = page and local_path(page, "--page")
    sifted = _Offered(order).sifted()
    rows = [row for row in rows_of(sifted) if row.held or not held]
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
    """Train on pictures whatever the judge says about them, and on no other digit for the same picture."""
    offered = _Offered(Order(**given))
    reviews = Reviews(offered.order.data_dir)
    chosen = _chosen(offered, names or [], all_held, reviews.rejected, frozenset(Reason))
    readable = {item.name: item for item in (*offered.collected.items, *offered.collected.contradicted)}
    if unreadable := [name for name in chosen if name not in readable]:
        name = unreadable[0]
        reasons = [str(one) for one in offered.collected.set_aside if one.name == name]
        reason = reasons[0] if reasons else "it is a picture of MNIST, or is no longer there"
        raise ReviewError(f"{name[:SHOWN]} cannot be accepted: {reason}")
    pictures = Counter(readable[name].image.tobytes() for name in chosen)
    for name in chosen:
        if pictures[readable[name].image.tobytes()] > 1:
            raise ReviewError(
                f"{name[:SHOWN]} and another of these are the same picture with two digits; accept the right one alone"
            )
    others = [name for name, item in readable.items() if name not in chosen and item.image.tobytes() in pictures]
    reviews.reject(others)  # first, so that an interruption leaves no picture with two digits accepted
    reviews.accept(chosen)
    words = f"; other digits for the same pictures are rejected: {len(others):,}" if others else ""
    show(f"accepted: {counted(len(chosen))}; a retraining may use them, as far as its caps allow{words}")


@app.command()
@reports_errors
@_takes_new_data
def reject(
    *,
    names: NamesArgument = None,
    all_held: Annotated[
        bool, typer.Option("--all-held", help="All pictures that the judge contradicts, or takes for no digit.")
    ] = False,
    **given: Any,
) -> None:
    """Never train on pictures. Their files stay where they are."""
    offered = _Offered(Order(**given))
    reviews = Reviews(offered.order.data_dir)
    wrong = frozenset({Reason.CONTRADICTED, Reason.NO_DIGIT})
    chosen = _chosen(offered, names or [], all_held, reviews.accepted, wrong)
    reviews.reject(chosen)
    show(f"rejected: {counted(len(chosen))}; they are never trained on")


@dataclass
class _Offered:
    """The new pictures that an order names, looked for once and only if necessary."""

    order: Order

    @cached_property
    def dataset(self) -> DatasetRef:
        """The data set that they would be added to.

        Raises:
            ConfigError: The order names no folder.
        """
        if not (self.order.feedback or self.order.extra):
            raise ConfigError("there is no folder with new pictures; name it with --feedback or --extra")
        from pipelines.retrain import steps  # imports all that a retraining needs

        return steps.verify(steps.download(self.order.data_dir, self.order.mirrors))

    @cached_property
    def collected(self) -> Collected:
        """All of them."""
        order, mnist = self.order, read_mnist(self.dataset.files)
        return gather(order.feedback, order.extra, mnist, order.data_dir, voice.say)

    @cached_property
    def of_users(self) -> list[str]:
        """The names of those that users sent, whether they can be read or not."""
        return FeedbackFolder(self.order.feedback).names() if self.order.feedback else []

    def names(self) -> list[str]:
        """Of all about which something can be decided: damaged ones and those that contradict each other as well."""
        if self.of_users and not self.order.extra:
            return self.of_users  # without MNIST, with which pictures are compared
        found = [*self.of_users, *(one.name for one in (*self.collected.items, *self.collected.contradicted))]
        return list(dict.fromkeys(found))

    def sifted(self) -> Sifted:
        """The pictures as a retraining would sort them now."""
        order = self.order
        if order.feedback and not order.extra and not self.of_users:
            return Sifted((), None, {}, Sorted((), ()))  # likewise
        recipe, pretrained = load_recipe(order.recipe, order.overrides), Settings().pretrained
        return sift(self.collected.items, self.dataset, recipe, order.data_dir, pretrained, voice.say)


def _chosen(
    offered: _Offered,
    prefixes: list[str],
    all_held: bool,
    otherwise: Callable[[], frozenset[str]],
    among: Set[Reason],
) -> list[str]:
    """The full names of the pictures that a command is about.

    Args:
        offered: All new pictures.
        prefixes: What the command names.
        all_held: Whether it is about all that wait.
        otherwise: Gives those about which the opposite is decided.
        among: Why those must wait that are meant by `all_held`.
    """
    if bool(prefixes) == all_held:
        raise ReviewError("name the pictures, or give --all-held, and not both")
    voice.prepare()
    if all_held:
        return [one.item.name for one in offered.sifted().found.held if one.reason in among]
    chosen = named(prefixes, offered.names(), otherwise())
    for sentence in chosen.skipped:
        show(sentence)
    return chosen.names


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
