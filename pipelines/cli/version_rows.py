"""What `models list` says of each version: sound or not, with what is known of it even if it is damaged."""

from collections.abc import Iterator
from typing import Any, Literal

from rich.table import Table

from core.artifact.manifest import WEIGHTS
from core.artifact.repository import Repository, Snapshot
from core.errors import DamagedVersionError, UnreadableEntryError, VersionNotFoundError

__all__ = ["State", "rows", "table"]

State = Literal["sound", "rejected", "damaged", "dangling"]
"""Rejected: its verdict is that it shall not be champion. Dangling: an alias names it, and there is no such version."""

_UNKNOWN = dict.fromkeys(("created", "recipe", "test_accuracy", "verdict", "weights_sha256"))


def rows(store: Repository, snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """One JSON object for each version, ascending, and for each number that an alias names without there being one."""
    known = sorted({*snapshot.versions, *snapshot.aliases.values()})
    yield from store.for_each(known, lambda version: _row(store, snapshot, version))


def _row(store: Repository, snapshot: Snapshot, version: int) -> dict[str, Any]:
    """What is known of one version."""
    aliases = [name for name, target in snapshot.aliases.items() if target == version]
    row = {"version": version, "aliases": aliases}
    try:
        manifest = store.manifest(version)
    except (DamagedVersionError, UnreadableEntryError, VersionNotFoundError) as error:
        state: State = "damaged" if version in snapshot.versions else "dangling"
        return row | _UNKNOWN | {"damage": str(error), "state": state}
    return row | {
        "created": manifest.created.isoformat(),
        "recipe": manifest.recipe_name,
        "test_accuracy": manifest.test.accuracy,
        "verdict": manifest.verdict.model_dump(include={"promote", "reason", "parent", "consulted"}),
        "weights_sha256": manifest.files[WEIGHTS].sha256,
        "damage": None,
        "state": "sound" if manifest.verdict.promote else "rejected",
    }


def table(found: list[dict[str, Any]]) -> Table:
    """The same for people; the state of the versions is a column only if there is one that is not sound."""
    titles = ["version", "aliases", "state", "created (UTC)", "recipe", "test accuracy", "weights sha256"]
    if all(row["state"] == "sound" for row in found):
        titles.remove("state")
    result = Table(*titles, box=None, padding=(0, 1, 0, 0))  # 80 columns
    for row in found:
        known = {"version": str(row["version"]), "aliases": ", ".join(row["aliases"]), "state": row["state"]}
        if not row["damage"]:
            known["created (UTC)"] = row["created"][:16].replace("T", " ")
            known["recipe"] = row["recipe"]
            known["test accuracy"] = f"{row['test_accuracy']:.2%}"
            known["weights sha256"] = row["weights_sha256"][:12]
        result.add_row(*(known.get(title, "") for title in titles))
    return result
