"""`python -m pipelines`: retrain by hand or on a schedule, and look after the published versions.

People's words go to standard error; `--json` prints one JSON document on standard output and nothing else there.
Prefect is imported by the commands that need it, so that the others and `--help` answer at once.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer
from rich.console import Console
from rich.table import Table

from core.artifact.manifest import WEIGHTS, Manifest
from core.artifact.repository import CHAMPION, Repository
from core.errors import NumeralError
from pipelines import engine, provenance, voice
from pipelines.recipe import load_recipe
from pipelines.settings import Settings

P = ParamSpec("P")

app = typer.Typer(
    help="Bring MNIST, train a network, publish versions of it, and look after them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models = typer.Typer(help="List, show, promote, roll back and prune published versions.", no_args_is_help=True)
app.add_typer(models, name="models")

_people = Console(stderr=True, highlight=False, soft_wrap=True)

RecipeOption = Annotated[str, typer.Option("--recipe", help="A name in recipes/, or the path of a .toml file.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override one value, e.g. train.epochs=5.")
]
RepositoryOption = Annotated[
    str | None, typer.Option(help="Folder or URL of the versions. [env: NUMERAL_REPOSITORY; default: ./models]")
]
DataDirOption = Annotated[
    Path | None, typer.Option(help="Folder for downloads. [env: NUMERAL_DATA_DIR; default: data/cache]")
]
MirrorOption = Annotated[
    list[str] | None, typer.Option("--mirror", metavar="URL", help="A mirror to ask first: http(s):// or file://.")
]
FeedbackOption = Annotated[
    Path | None, typer.Option(help="Folder with users' feedback to learn from. [env: NUMERAL_FEEDBACK; default: none]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
VersionArgument = Annotated[int, typer.Argument(help="The version's number.", min=1)]
AliasOption = Annotated[str, typer.Option(help="Which alias to move, e.g. challenger for a canary or a shadow.")]
WhyOption = Annotated[str, typer.Option(help="The reason, for the alias's history.")]


def _tells_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turn an error that we raise on purpose into one sentence and exit status 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except NumeralError as error:
            _people.print(f"error: {error}", style="red", markup=False)
            raise typer.Exit(1) from error

    return wrapped


@app.command()
@_tells_errors
def retrain(
    recipe: RecipeOption = "mlp",
    overrides: SetOption = None,
    repository: RepositoryOption = None,
    data_dir: DataDirOption = None,
    mirrors: MirrorOption = None,
    feedback: FeedbackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train, evaluate, publish and, where it is no worse than the champion, promote a version.

    Nothing is redone where data, recipe and code are those of a published version. Exit status 0 also where the new
    version is rejected: it is published for inspection, and the champion stays.
    """
    load_recipe(recipe, overrides or ())  # a typing error is told before Prefect starts
    engine.prepare()
    engine.check_server()
    from pipelines.retrain.flow import retrain as flow  # Prefect takes a second to import

    result = flow(recipe, tuple(overrides or ()), repository, data_dir, tuple(mirrors or ()), feedback)
    if as_json:
        print(result.model_dump_json(indent=2))
        return
    stages = " · ".join(f"{stage} {seconds:.1f} s" for stage, seconds in result.seconds.items())
    standing = "the champion" if result.promoted else "not the champion"
    _people.print(
        f"\n{result.outcome}: version {result.version}, {standing}, "
        f"test accuracy {result.metrics['test_accuracy']:.2%}\n  report  {result.report}\n  time    {stages}\n"
        f"  next    python -m service serve --repository {result.repository}",
        markup=False,
    )


@app.command()
@_tells_errors
def schedule(
    cron: Annotated[str, typer.Option(help="When to retrain, e.g. '0 3 * * *' for every night at three, UTC.")],
    recipe: RecipeOption = "mlp",
    overrides: SetOption = None,
    repository: RepositoryOption = None,
    data_dir: DataDirOption = None,
    mirrors: MirrorOption = None,
    feedback: FeedbackOption = None,
    train_if_empty: Annotated[
        bool, typer.Option("--train-if-empty", help="Retrain once at the start where there is no version yet.")
    ] = False,
) -> None:
    """Retrain on a schedule until stopped: never two runs at once, and a restart keeps the schedule.

    Uses the Prefect server at PREFECT_API_URL; without one, starts a server of its own and stops it at the end.
    """
    load_recipe(recipe, overrides or ())
    engine.prepare(show_errors=True)
    settings = Settings()
    collected = feedback or settings.feedback
    parameters = {
        "recipe": recipe,
        "overrides": list(overrides or ()),
        "repository": repository or settings.repository,
        "data_dir": str((data_dir or settings.data_dir).resolve()),
        "mirrors": list(mirrors or settings.mirrors),
        "feedback": str(collected.resolve()) if collected else None,
    }
    with engine.own_server():
        from pipelines import schedule as scheduling  # Prefect takes a second to import, and reads its settings then

        scheduling.run(cron, parameters, train_if_empty=train_if_empty)


@app.command()
@_tells_errors
def find_rate(
    recipe: RecipeOption = "mlp",
    overrides: SetOption = None,
    data_dir: DataDirOption = None,
    mirrors: MirrorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try ever larger learning rates for some hundred steps, and suggest one for the recipe."""
    from pipelines import find_rate as finding  # here: the other commands need no network and no data

    voice.prepare()
    chosen, settings = load_recipe(recipe, overrides or ()), Settings()
    found = finding.find_rate(chosen, (data_dir or settings.data_dir).resolve(), mirrors or settings.mirrors)
    if as_json:
        print(json.dumps({"recipe": Path(recipe).stem, **asdict(found)}, indent=2))
        return
    print(finding.chart(found))
    _people.print(
        f"\nsuggestion: --set train.learning_rate={found.suggestion:.2g}, a tenth of the rate with the lowest loss "
        f"(the recipe has {chosen.train.learning_rate:g})",
        markup=False,
    )


@models.command("list")
@_tells_errors
def list_versions(repository: RepositoryOption = None, as_json: JsonOption = False) -> None:
    """The published versions, the newest last."""
    store = _open(repository)
    rows = []
    if store.exists():
        snapshot = store.snapshot()
        rows = [_row(store.manifest(version), snapshot.aliases) for version in snapshot.versions]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    if not rows:
        _people.print(f"{store.url} holds no version yet; publish one with: python -m pipelines retrain")
        return
    table = Table("version", "aliases", "created (UTC)", "recipe", "test accuracy", "weights sha256", box=None)
    for row in rows:
        accuracy, aliases = f"{row['test_accuracy']:.2%}", ", ".join(row["aliases"])
        created = row["created"][:19].replace("T", " ")
        table.add_row(str(row["version"]), aliases, created, row["recipe"], accuracy, row["weights_sha256"][:12])
    Console().print(table)


@models.command()
@_tells_errors
def show(version: VersionArgument, repository: RepositoryOption = None, as_json: JsonOption = False) -> None:
    """One version: its card, or with --json its whole manifest."""
    store = _open(repository)
    manifest = store.manifest(version)
    print(manifest.encode().decode() if as_json else store.read(manifest, "card.md").decode())


@models.command()
@_tells_errors
def promote(
    version: VersionArgument,
    repository: RepositoryOption = None,
    alias: AliasOption = CHAMPION,
    why: WhyOption = "promoted by hand",
) -> None:
    """Make a version the champion, or what another alias names; services that follow the alias load it."""
    _open(repository).promote(version, by=provenance.author(), why=why, alias=alias)
    _people.print(f"version {version} is the {alias}", markup=False)


@models.command()
@_tells_errors
def rollback(
    repository: RepositoryOption = None, alias: AliasOption = CHAMPION, why: WhyOption = "rolled back by hand"
) -> None:
    """Make the previous champion the champion again, or move another alias back."""
    move = _open(repository).alias(alias).rollback(by=provenance.author(), why=why)
    _people.print(f"version {move.version} is the {alias} again, in place of version {move.previous}", markup=False)


@models.command()
@_tells_errors
def prune(
    keep: Annotated[int, typer.Option(help="How many of the newest versions to keep.", min=1)] = 10,
    repository: RepositoryOption = None,
) -> None:
    """Delete old versions, save the champion and the one that a rollback would need."""
    deleted = _open(repository).prune(keep)
    _people.print(f"deleted: {', '.join(map(str, deleted)) or 'nothing'}")


def _open(repository: str | None) -> Repository:
    return Repository(repository or Settings().repository)


def _row(manifest: Manifest, aliases: dict[str, int]) -> dict[str, Any]:
    return {
        "version": manifest.version,
        "aliases": [name for name, target in aliases.items() if target == manifest.version],
        "created": manifest.created.isoformat(),
        "recipe": manifest.recipe_name,
        "test_accuracy": manifest.test.accuracy,
        "weights_sha256": manifest.files[WEIGHTS].sha256,
    }


def main() -> None:
    """Entry point of `python -m pipelines` and `numeral-pipelines`."""
    app(prog_name="numeral-pipelines" if "numeral-pipelines" in sys.argv[0] else "python -m pipelines")
