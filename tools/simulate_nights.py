"""Let many nights pass in minutes, to see that nothing grows for ever: Prefect's database, the data folder, the lease.

Usage: python tools/simulate_nights.py NIGHTS FOLDER

Each night is a real retraining that finds nothing changed, against a real Prefect server of its own. After every ten,
the server's database is made ten days older, as if that time had passed; its vacuum, which keeps runs for 90 days,
works every few seconds. Prints a line after every 20 nights: the database, its rows, and files and bytes elsewhere.
"""
# ruff: noqa: E402 — Numeral's own packages can be imported once its folder is on the path

import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pipelines import engine

AT_ONCE = 10
"""Nights after which the database is made older."""

AGED = {"flow_run": "end_time", "events": "occurred", "event_resources": "occurred"}
"""The times by which the vacuum judges; logs, artifacts and task runs go with their run."""

COUNTED = ("flow_run", "task_run", "log", "artifact", "events")


def make_older(database: Path, days: int) -> None:
    """Move everything that has ended into the past."""
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        for table, column in AGED.items():
            older = f"UPDATE {table} SET {column} = strftime('%Y-%m-%d %H:%M:%f000', {column}, ?)"  # noqa: S608 — ours
            connection.execute(f"{older} WHERE {column} IS NOT NULL", (f"-{days} days",))


def size_of(folder: Path) -> str:
    """How many files a folder holds, and how many bytes."""
    files = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
    return f"{len(files)} files {sum(files) / 1e6:.2f} MB"


def describe(database: Path, folder: Path) -> str:
    """What there is now."""
    with closing(sqlite3.connect(database, timeout=60)) as connection:
        rows = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in COUNTED}  # noqa: S608
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    used = f"{(pages - free) * size / 1e6:.1f} of {pages * size / 1e6:.1f} MB used"
    counted = " ".join(f"{table} {count}" for table, count in rows.items())
    return (
        f"{used}; {counted}; data {size_of(folder / 'cache')}; lease {size_of(folder / 'models' / 'mnist' / 'lease')}"
    )


def main(nights: int, folder: Path) -> None:
    """Let the nights pass."""
    home = folder / "prefect"
    os.environ |= {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "5",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ORPHAN_CLEANUP_LOOP_SECONDS": "60",
    }
    engine.prepare()
    with engine.own_server():
        from pipelines.retrain.flow import retrain

        order = {
            "overrides": ["train.epochs=1", "train.batch_size=64"],
            "repository": str(folder / "models"),
            "data_dir": str(folder / "cache"),
            "mirrors": [(ROOT / "data" / "mnist").as_uri()],
        }
        began = time.monotonic()
        for night in range(1, nights + 1):
            retrain(**order)
            if night % AT_ONCE == 0:
                time.sleep(6)  # events are written a little later, and the vacuum has its turn
                make_older(home / "prefect.db", AT_ONCE)
            if night % (2 * AT_ONCE) == 0:
                print(
                    f"night {night}, {time.monotonic() - began:.0f} s: {describe(home / 'prefect.db', folder)}",
                    flush=True,
                )


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
