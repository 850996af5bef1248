"""The table of versions that `models list` prints."""

from typing import Any

from rich.table import Table

__all__ = ["table"]


def table(found: list[dict[str, Any]]) -> Table:
    """Rows of `pipelines.versions.summary` for people; the state is a column only if a version is not sound."""
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
