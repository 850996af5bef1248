"""What a list says of a version. A repository may hold thousands, so only what is listed is looked at."""

from typing import Any, Literal

from core.artifact.manifest import WEIGHTS
from core.artifact.repository import Repository, Snapshot
from core.artifact.summary import Summary
from core.errors import DamagedVersionError, ManifestError, UnreadableEntryError, VersionNotFoundError

__all__ = ["State", "rows"]

State = Literal["sound", "rejected", "damaged", "dangling"]
"""Rejected: the gate or its trial says that it shall not be champion. Dangling: an alias names it, and it is not there.
"""

_UNKNOWN = dict.fromkeys(("created", "recipe", "test_accuracy", "verdict", "weights_sha256"))

_VERDICT = {"promote", "reason", "parent", "consulted"}
"""The fields of a verdict that are listed."""


def rows(
    store: Repository, snapshot: Snapshot, last: int | None = None, checked: set[bytes] | None = None
) -> list[dict[str, Any]]:
    """One JSON object for each version, ascending, and for each number that an alias names without there being one.

    Args:
        store: The repository.
        snapshot: What it showed.
        last: Only so many of the newest versions, and those that an alias names; None for all.
        checked: Which manifests need not be checked again, to which those are added that now were: see
            `pipelines.versions.checked`.
    """
    newest = snapshot.versions if last is None else snapshot.versions[-last:]
    known = sorted({*newest, *snapshot.aliases.values()})
    # A version that was published during the listing may be missing there, and then so may be the record of its trial.
    tried = snapshot.tried | ({*known} - {*snapshot.versions})
    return list(store.for_each(known, lambda version: _row(store, snapshot, version, version in tried, checked)))


def _row(
    store: Repository, snapshot: Snapshot, version: int, tried: bool, checked: set[bytes] | None
) -> dict[str, Any]:
    """What is known of one version."""
    aliases = [name for name, target in snapshot.aliases.items() if target == version]
    row = {"version": version, "aliases": aliases}
    try:
        found = store.summary(version, checked)
    except (DamagedVersionError, UnreadableEntryError, VersionNotFoundError) as error:
        state: State = "damaged" if version in snapshot.versions else "dangling"
        return row | _UNKNOWN | {"damage": str(error), "state": state}
    passed = found.verdict.promote and not (tried and _failed_its_trial(store, version))
    state = "sound" if passed else "rejected"
    return row | _listed(found) | {"damage": None, "state": state}


def _listed(found: Summary) -> dict[str, Any]:
    """As JSON."""
    return {
        "created": found.created.isoformat(),
        "recipe": found.recipe_name,
        "test_accuracy": found.test.accuracy,
        "verdict": found.verdict.model_dump(include=_VERDICT),
        "weights_sha256": found.files[WEIGHTS].sha256,
    }


def _failed_its_trial(store: Repository, version: int) -> bool:
    """Whether a service has tried the version in vain. A damaged record says nothing; `models verify` finds it."""
    try:
        trial = store.trial(version)
    except (ManifestError, UnreadableEntryError):
        return False
    return trial is not None and not trial.passed
