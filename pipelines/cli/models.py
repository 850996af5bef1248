"""`models …`: list, show, verify, promote, roll back and prune published versions."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from core.artifact.manifest import WEIGHTS
from core.artifact.repository import CHAMPION, Repository
from core.errors import DamagedVersionError, UnreadableEntryError
from pipelines import provenance
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.order import option
from pipelines.settings import Settings

app = typer.Typer(help="List, show, verify, promote, roll back and prune published versions.", no_args_is_help=True)

RepositoryOption = Annotated[str | None, option("repository")]
VersionArgument = Annotated[int, typer.Argument(help="The version's number.", min=1)]
AliasOption = Annotated[str, typer.Option(help="Which alias to move, e.g. challenger for a canary or a shadow.")]
WhyOption = Annotated[str, typer.Option(help="The reason, kept in the alias's history.")]


@app.command("list")
@reports_errors
def list_versions(repository: RepositoryOption = None, as_json: JsonOption = False) -> None:
    """List the published versions, the newest last."""
    store = _open(repository)
    rows = []
    if store.exists():
        snapshot = store.snapshot()
        for path, fault in snapshot.faults.items():
            show(f"{path}: {fault}")
        rows = [_row(store, version, snapshot.aliases) for version in snapshot.versions]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    if not rows:
        show(f"{store.location} holds no version yet; publish one with: python -m pipelines retrain")
        return
    table = Table("version", "aliases", "created (UTC)", "recipe", "test accuracy", "weights sha256", box=None)
    for row in rows:
        aliases = ", ".join(row["aliases"])
        if row["damage"]:
            table.add_row(str(row["version"]), aliases, "damaged")
            show(row["damage"])
            continue
        accuracy, created = f"{row['test_accuracy']:.2%}", row["created"][:19].replace("T", " ")
        table.add_row(str(row["version"]), aliases, created, row["recipe"], accuracy, row["weights_sha256"][:12])
    Console().print(table)


@app.command("show")
@reports_errors
def show_version(version: VersionArgument, repository: RepositoryOption = None, as_json: JsonOption = False) -> None:
    """Show one version: its model card, or with --json its whole manifest."""
    store = _open(repository)
    manifest = store.manifest(version)
    print(manifest.encode().decode() if as_json else store.read(manifest, "card.md").decode())


@app.command()
@reports_errors
def verify(repository: RepositoryOption = None, as_json: JsonOption = False) -> None:
    """Read every file of every version, and compare it with the digest from when it was published.

    The exit status is 1 if a version is damaged.
    """
    store = _open(repository)
    findings = {version: _damage(store, version) for version in store.versions()}
    if as_json:
        print(json.dumps([{"version": version, "damage": damage} for version, damage in findings.items()], indent=2))
    else:
        for version, damage in findings.items():
            show(f"version {version}: {damage or 'sound'}")
    if any(findings.values()):
        raise typer.Exit(1)


@app.command()
@reports_errors
def promote(
    version: VersionArgument,
    repository: RepositoryOption = None,
    alias: AliasOption = CHAMPION,
    why: WhyOption = "promoted by hand",
) -> None:
    """Make a version the champion, or point another alias at it; services that follow the alias load the version."""
    _open(repository).promote(version, by=provenance.author(), why=why, alias=alias)
    show(f"version {version} is the {alias}")


@app.command()
@reports_errors
def rollback(
    repository: RepositoryOption = None, alias: AliasOption = CHAMPION, why: WhyOption = "rolled back by hand"
) -> None:
    """Make the previous champion the champion again, or move another alias back."""
    move = _open(repository).alias(alias).rollback(by=provenance.author(), why=why)
    show(f"version {move.version} is the {alias} again, in place of version {move.previous}")


@app.command()
@reports_errors
def prune(
    keep: Annotated[int, typer.Option(help="How many of the newest versions to keep.", min=1)] = 10,
    repository: RepositoryOption = None,
) -> None:
    """Delete old versions. Versions that an alias names are kept, and those that a rollback would return to."""
    deleted = _open(repository).prune(keep)
    show(f"deleted: {', '.join(map(str, deleted)) or 'nothing'}")


def _open(repository: str | None) -> Repository:
    return Repository(Settings().repository if repository is None else repository)


def _damage(store: Repository, version: int) -> str | None:
    """What is wrong with a version; None if nothing is."""
    try:
        store.verify(version)
    except (DamagedVersionError, UnreadableEntryError) as error:
        return str(error)
    return None


def _row(store: Repository, version: int, aliases: dict[str, int]) -> dict[str, Any]:
    """One version of the list; if its manifest is damaged, what is known of it without."""
    found: dict[str, Any] = {"version": version, "aliases": [name for name, at in aliases.items() if at == version]}
    unknown = dict.fromkeys(("created", "recipe", "test_accuracy", "weights_sha256"))
    try:
        manifest = store.manifest(version)
    except (DamagedVersionError, UnreadableEntryError) as error:
        return found | unknown | {"damage": str(error)}
    return found | {
        "created": manifest.created.isoformat(),
        "recipe": manifest.recipe_name,
        "test_accuracy": manifest.test.accuracy,
        "weights_sha256": manifest.files[WEIGHTS].sha256,
        "damage": None,
    }
