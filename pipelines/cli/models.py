"""`models …`: list, show, verify, repair, promote, roll back and prune published versions."""

import json
from typing import Annotated

import typer
from rich.console import Console

from core.artifact.repository import CHAMPION, Probe, Repository
from core.errors import DamagedVersionError, UnreadableEntryError
from pipelines import provenance
from pipelines.cli import version_rows
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.order import option
from pipelines.promotion.words import consulted_in_words
from pipelines.settings import Settings

app = typer.Typer(
    help="List, show, verify, repair, promote, roll back and prune published versions.", no_args_is_help=True
)

RepositoryOption = Annotated[str | None, option("repository")]
VersionArgument = Annotated[int, typer.Argument(help="The version's number.", min=1)]
AliasOption = Annotated[str, typer.Option(help="Which alias to move, e.g. challenger for a canary or a shadow.")]
WhyOption = Annotated[str, typer.Option(help="The reason, kept in the alias's history.")]


@app.command("list")
@reports_errors
def list_versions(repository: RepositoryOption = None, as_json: JsonOption = False) -> None:
    """List the published versions, the newest last."""
    store = _open(repository)
    there = store.exists()
    rows = []
    if there:
        snapshot = store.snapshot()
        for path, fault in snapshot.faults.items():
            show(f"{path}: {fault}")
        rows = list(version_rows.rows(store, snapshot))
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        if row["damage"]:
            show(row["damage"])
    if rows:
        Console().print(version_rows.table(rows))
        if consulted := max((row["verdict"]["consulted"] or 0 for row in rows if row["verdict"]), default=0):
            show(consulted_in_words(consulted))
    else:
        finding = "holds no version yet" if there else "does not exist yet"
        show(f"{store.location} {finding}; publish a version with: python -m pipelines retrain")
    if there:
        _show_claims(store)


@app.command("show")
@reports_errors
def show_version(version: VersionArgument, repository: RepositoryOption = None, as_json: JsonOption = False) -> None:
    """Show one version: its model card and its trial, or with --json its manifest; of a damaged one, what is known."""
    store = _open(repository)
    try:
        manifest = store.manifest(version)
        if as_json:
            print(manifest.encode().decode())
            return
        print(store.read(manifest, "card.md").decode())
        if trial := store.trial(version):
            print(f"## Trial by a service\n\nOn {trial.at:%Y-%m-%d at %H:%M} UTC, {trial.words}.")
    except (DamagedVersionError, UnreadableEntryError):
        files = ", ".join(f"{name} ({size:,} bytes)" for name, size in store.files(version).items())
        aliases = [name for name, target in store.snapshot().aliases.items() if target == version]
        show(f"version {version}, damaged; aliases: {', '.join(aliases) or 'none'}; files: {files or 'none'}")
        raise


@app.command()
@reports_errors
def verify(repository: RepositoryOption = None, as_json: JsonOption = False) -> None:
    """Read every file of every version, compare it with the digest from when it was published, and look at the aliases.

    The exit status is 1 if a version is damaged, or an alias points to none that is sound.
    """
    store = _open(repository)
    findings = list(store.examine(by=provenance.author()))
    damage = {found.version: found.fault for found in findings if found.version is not None}
    known = sorted({*store.versions(), *damage})
    rows = [{"version": version, "alias": None, "damage": damage.get(version)} for version in known]
    rows += [{"version": None, "alias": found.alias, "damage": found.fault} for found in findings if found.alias]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        for row in rows:
            name = f"alias {row['alias']}" if row["alias"] else f"version {row['version']}"
            show(f"{name}: {row['damage'] or 'sound'}")
        _show_claims(store)
    if findings:
        raise typer.Exit(1)


@app.command()
@reports_errors
def repair(
    repository: RepositoryOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; otherwise it is only said what would be done.")] = False,
) -> None:
    """Repair aliases that point to nothing sound, set damaged versions aside, and delete what killed writers have left.

    No sound version is touched. The exit status is 1 if something is left that a person has to do.
    """
    store = _open(repository)
    findings = list(store.examine(by=provenance.author()))
    for found in findings:
        show(f"{found.name}: {found.fault}")
        if found.repair is None:
            show(f"  by hand: {found.remedy}")
        elif yes:
            found.repair()
            show(f"  done: {found.remedy}")
        else:
            show(f"  with --yes: {found.remedy}")
    if not findings:
        show("all versions and aliases are sound")
    if yes:
        _sweep(store)
    _show_claims(store)
    if any(found.repair is None for found in findings):
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
    _open(repository).promote(version, by=provenance.author(), why=why, alias=alias, probe=_probe())
    show(f"version {version} is the {alias}")


@app.command()
@reports_errors
def rollback(
    repository: RepositoryOption = None, alias: AliasOption = CHAMPION, why: WhyOption = "rolled back by hand"
) -> None:
    """Make the previous champion the champion again, or move another alias back."""
    move = _open(repository).rollback(by=provenance.author(), why=why, alias=alias, probe=_probe())
    show(f"version {move.version} is the {alias} again, in place of version {move.previous}")


@app.command()
@reports_errors
def prune(
    keep: Annotated[int, typer.Option(help="How many of the newest versions to keep.", min=1)] = 10,
    repository: RepositoryOption = None,
) -> None:
    """Delete old versions, and what killed publishers have left.

    Versions that an alias names are kept, and those that a rollback would return to.
    """
    store = _open(repository)
    deleted = store.prune(keep)
    show(f"deleted: {', '.join(map(str, deleted)) or 'nothing'}")
    _sweep(store)


def _open(repository: str | None) -> Repository:
    return Repository(Settings().repository if repository is None else repository)


def _probe() -> Probe:
    from core.inference.predict import rebuild  # the network takes a moment to import, and few commands need it

    return rebuild


def _show_claims(store: Repository) -> None:
    """What is on its way, or was left by publishers that were killed; the two cannot be told apart before a day."""
    if unpublished := store.unpublished():
        numbers = ", ".join(map(str, unpublished))
        show(f"claimed, and not published (yet): {numbers}; what a killed publisher has left is deleted after a day")
    if unfinished := store.unfinished():
        size = sum(file.size for file in unfinished)
        show(f"being written, or left by a killed writer: {len(unfinished)} files, {size:,} bytes; deleted after a day")


def _sweep(store: Repository) -> None:
    numbers, files = store.sweep()
    if numbers:
        show(f"deleted numbers that were claimed and never published: {', '.join(map(str, numbers))}")
    if files:
        show(f"deleted {len(files)} unfinished files, {sum(file.size for file in files):,} bytes")
