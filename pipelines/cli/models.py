"""`models …`: list, show, compare, verify, repair, promote, roll back and prune published versions."""

import json
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from core.artifact.finding import subject
from core.artifact.repository import CHAMPION, Probe, Repository
from core.errors import ArtifactError, DamagedVersionError, UnreadableEntryError
from pipelines import provenance
from pipelines.canary.challenger_alias import CHALLENGER
from pipelines.canary.story import story
from pipelines.cli import comparing, version_rows
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.cli.store import RepositoryOption, opened
from pipelines.promotion.words import consulted_in_words
from pipelines.settings import Settings
from pipelines.versions import summary
from pipelines.versions.checked import remembered

app = typer.Typer(
    help="List, show, compare, verify, repair, promote, roll back and prune published versions.", no_args_is_help=True
)
app.command()(comparing.diff)
app.command()(comparing.compare)
app.command()(comparing.lineage)

VersionArgument = Annotated[int, typer.Argument(help="The version's number.", min=1)]
AliasOption = Annotated[str, typer.Option(help="Which alias to move, e.g. challenger for a canary or a shadow.")]
WhyOption = Annotated[str, typer.Option(help="The reason, kept in the alias's history.")]


LISTED = 100
"""Versions that are listed for people unless they ask for more."""


@app.command("list")
@reports_errors
def list_versions(
    repository: RepositoryOption = None,
    last: Annotated[
        int | None,
        typer.Option(help="How many of the newest versions; by default 100, with --json all.", min=1),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the published versions, the newest last, and those that an alias names."""
    store = opened(repository)
    there = store.exists()
    rows, older = [], 0
    if there:
        snapshot = store.snapshot()
        for path, fault in snapshot.faults.items():
            show(f"{path}: {fault}")
        most = last if last or as_json else LISTED
        with remembered(Settings().cache_dir) as checked:
            rows = summary.rows(store, snapshot, most, checked)
        older = len(snapshot.versions) - sum(row["version"] in snapshot.versions for row in rows)
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        if row["damage"]:
            show(row["damage"])
    if rows:
        Console().print(version_rows.table(rows))
        if older:
            show(f"{older:,} older versions are not shown; see them with --last {older + len(rows)}")
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
    """Show one version: its model card, its trial, its time as a canary; or with --json its manifest.

    Of a damaged one, what is known.
    """
    store = opened(repository)
    try:
        manifest = store.manifest(version)
        if as_json:
            print(manifest.encode().decode())
            return
        print(store.read(manifest, "card.md").decode())
        if trial := store.trial(version):
            print(f"## Trial by a service\n\nOn {trial.at:%Y-%m-%d at %H:%M} UTC, {trial.words}.")
        if told := story(store.alias(CHALLENGER).history(), store.alias().history(), version):
            print("\n## Canary\n\n" + "\n".join(told))
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
    store = opened(repository)
    snapshot = store.snapshot()
    findings = list(store.examine(by=provenance.author(), snapshot=snapshot))
    damaged = {found.version for found in findings}
    # Of what was looked at, only what is still there: the others were pruned, maybe before they were read.
    sound = {*snapshot.versions}.intersection(store.versions()) - damaged
    told: list[tuple[int | None, str | None, str | None]] = [(version, None, None) for version in sound]
    told += [(found.version, found.alias, found.fault) for found in findings]
    told.sort(key=lambda row: (row[0] is None, row[0] or 0))
    rows = [{"version": version, "alias": alias, "damage": fault} for version, alias, fault in told]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        for version, alias, fault in told:
            show(f"{subject(version, alias)}: {fault or 'sound'}")
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
    store = opened(repository)
    findings, left = list(store.examine(by=provenance.author())), 0
    for found in findings:
        show(f"{found.name}: {found.fault}")
        if found.repair is None:
            left += 1
            show(f"  by hand: {found.remedy}")
        elif yes:
            left += not _done(found.repair, found.remedy)
        else:
            show(f"  with --yes: {found.remedy}")
    if not findings:
        show("all versions and aliases are sound")
    if yes:
        _sweep(store)
    _show_claims(store)
    if left:
        raise typer.Exit(1)


def _done(repair: Callable[[], object], remedy: str) -> bool:
    """Repair one thing. If it has changed meanwhile, the others are repaired all the same."""
    try:
        changed = repair() is False
    except ArtifactError as error:
        show(f"  not done: {error}; run models repair again")
        return False
    show("  not done: it has changed meanwhile; run models repair again" if changed else f"  done: {remedy}")
    return not changed


@app.command()
@reports_errors
def promote(
    version: VersionArgument,
    repository: RepositoryOption = None,
    alias: AliasOption = CHAMPION,
    why: WhyOption = "promoted by hand",
) -> None:
    """Make a version the champion, or point another alias at it; services that follow the alias load the version."""
    opened(repository).promote(version, by=provenance.author(), why=why, alias=alias, probe=_probe())
    show(f"version {version} is the {alias}")


@app.command()
@reports_errors
def rollback(
    repository: RepositoryOption = None, alias: AliasOption = CHAMPION, why: WhyOption = "rolled back by hand"
) -> None:
    """Make the previous champion the champion again, or move another alias back."""
    move = opened(repository).rollback(by=provenance.author(), why=why, alias=alias, probe=_probe())
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
    store = opened(repository)
    deleted = store.prune(keep)
    show(f"deleted: {', '.join(map(str, deleted)) or 'nothing'}")
    _sweep(store)


def _probe() -> Probe:
    from core.inference.predict import rebuild  # the network takes a moment to import, and few commands need it

    return rebuild


def _show_claims(store: Repository) -> None:
    """What is on its way, or was left by publishers that were killed; the two cannot be told apart before a day."""
    unpublished, unfinished = store.pending()
    if unpublished:
        numbers = ", ".join(map(str, unpublished))
        show(f"claimed, and not published (yet): {numbers}; what a killed publisher has left is deleted after a day")
    if unfinished:
        size = sum(file.size for file in unfinished)
        show(f"being written, or left by a killed writer: {len(unfinished)} files, {size:,} bytes; deleted after a day")


def _sweep(store: Repository) -> None:
    numbers, files = store.sweep()
    if numbers:
        show(f"deleted numbers that were claimed and never published: {', '.join(map(str, numbers))}")
    if files:
        show(f"deleted {len(files)} unfinished files, {sum(file.size for file in files):,} bytes")
