"""`models diff|compare|lineage`: published versions side by side."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from core.artifact.manifest import Manifest
from core.artifact.repository import Repository
from core.data.durable import write_whole
from core.data.labeled import Labeled
from core.errors import ConfigError, DatasetError
from core.local_path import local_path
from pipelines import voice
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.cli.store import RepositoryOption, opened
from pipelines.order import Order, takes_order
from pipelines.versions.difference import Change, changes
from pipelines.versions.lineage import Ancestor
from pipelines.versions.lineage import lineage as line_of


@reports_errors
def diff(
    before: Annotated[int, typer.Argument(metavar="A", min=1, help="The version to start from.")],
    after: Annotated[int, typer.Argument(metavar="B", min=1, help="The version to compare with it.")],
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what differs from version A to version B: data, recipe, code, machine, network and measures."""
    store = opened(repository)
    found = changes(store.manifest(before), store.manifest(after))
    if as_json:
        print(json.dumps([change._asdict() for change in found], indent=2))
        return
    if not found:
        show(f"versions {before} and {after} do not differ in data, recipe, code, machine, network or measures")
    _print(found)


@reports_errors
def lineage(
    version: Annotated[int | None, typer.Argument(min=1, help="The version; by default the champion.")] = None,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow a version back to the champion that it was judged against, and so on, with what changed each time."""
    store = opened(repository)
    line = line_of(store, store.champion() if version is None else version)
    if as_json:
        print(json.dumps([_as_json(one) for one in line], indent=2))
        return
    for one in line:
        _tell(one)


@reports_errors
@takes_order("repository", "data_dir", "mirrors")
def compare(
    *,
    versions: Annotated[list[int], typer.Argument(metavar="A B…", help="Two versions or more.")],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Where the page is written. [default: compare-A-B.html]")
    ] = None,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """Compare versions on the test images, on a page: curves, digits, pictures on which they differ, what changed."""
    if len(dict.fromkeys(versions)) < 2:
        raise ConfigError(f"compare: found {' '.join(map(str, versions))}, expected two different versions or more")
    order, wanted = Order(**given), list(dict.fromkeys(versions))
    voice.prepare()
    page = local_path(output or Path(f"compare-{'-'.join(map(str, wanted))}.html"), "--output")
    store = Repository(order.repository)
    manifests = [store.manifest(version) for version in wanted]  # before anything is downloaded
    test = _test_images(order, manifests)
    from pipelines.report.compare_page import render_comparison  # imports matplotlib, which takes a second
    from pipelines.versions.compared import compare as compared

    found = compared(store, wanted, test)
    write_whole(page, render_comparison(found))
    if as_json:
        print(json.dumps(_comparison(found, page), indent=2))
        return
    for one in found.versions:
        words = f"version {one.manifest.version}: {one.accuracy.accuracy:.2%} of {found.images:,} test images"
        if one.pairs:
            words += f"; {one.pairs.gained:,} right that version {wanted[0]} misreads, {one.pairs.lost:,} the other way"
            words += f" (p = {one.p:.2g})"
        show(words)
    show(f"page written: {page}")


def _test_images(order: Order, manifests: Sequence[Manifest]) -> Labeled:
    """The images that had no influence on any of the versions.

    Raises:
        DatasetError: One of them was trained on other files.
    """
    from pipelines.references import read_mnist
    from pipelines.retrain import steps  # imports all that a retraining needs

    dataset = steps.verify(steps.download(order.data_dir, order.mirrors))
    for manifest in manifests:
        then, now = manifest.data.files, dataset.digests
        if then != now:  # these test images may have trained it: as the gate does, no comparison is made on them
            names = ", ".join(name for name in {**now, **then} if then.get(name) != now.get(name))
            raise DatasetError(
                f"version {manifest.version} was trained on other files than these: {names}; these test images may "
                "have been among its own, so leave it out, or name the --mirror of its files"
            )
    mnist = read_mnist(dataset.files)
    return Labeled(mnist.test_images, mnist.test_labels)


def _comparison(found: Any, page: Path) -> dict[str, Any]:
    """What the page shows, but for its pictures and curves."""
    return {
        "images": found.images,
        "differing": found.differing,
        "page": str(page),
        "versions": [
            {
                "version": one.manifest.version,
                "recipe": one.manifest.recipe_name,
                "test_accuracy": one.accuracy.accuracy,
                "interval": one.accuracy.interval,
                "per_digit": one.per_digit,
                "epochs": len(one.history),
                "gained": one.pairs.gained if one.pairs else None,
                "lost": one.pairs.lost if one.pairs else None,
                "p": one.p,
                "changed": [change._asdict() for change in one.changed],
            }
            for one in found.versions
        ],
        "pictures": [
            {"index": p.index, "label": p.label, "readings": p.readings, "probabilities": p.probabilities}
            for p in found.pictures
        ],
    }


def _as_json(one: Ancestor) -> dict[str, Any]:
    created = one.created.isoformat() if one.created else None
    return asdict(one) | {"created": created, "changed": [change._asdict() for change in one.changed]}


def _tell(one: Ancestor) -> None:
    if one.fault:
        show(f"version {one.version}: {one.fault}")
        return
    show(
        f"version {one.version}: {one.recipe}, {one.created:%Y-%m-%d %H:%M} UTC, test accuracy {one.test_accuracy:.2%}"
    )
    show(f"  gate: {one.reason}")
    for move in one.moves:
        show(f"  {move}")
    _print(one.changed, indent="  ")


def _print(found: Sequence[Change], indent: str = "") -> None:
    for part, group in groupby(found, key=lambda change: change.part):
        show(f"{indent}{part}:")
        for change in group:
            show(f"{indent}  {change.words}")
