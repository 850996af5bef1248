"""The profile `postgres`: what Prefect keeps is in PostgreSQL, and survives its end, its loss and a restore."""

import tempfile
from pathlib import Path

import httpx
from compose_page import follow
from compose_project import PREFECT, compose, inside, is_healthy, kill, run_deployment, wait_for
from compose_report import Part, Probe


def use_postgres(probe: Probe) -> None:
    """The history of runs is in PostgreSQL, and no other container reaches it."""
    state = run_deployment()
    probe.check(state == "COMPLETED", "a run of the schedule completes", state)
    probe.check(_runs() > 0, "its record is in PostgreSQL", _runs())
    files = inside("prefect-server", "sh", "-c", "ls /prefect")
    probe.check("prefect.db" not in files, "there is no database of SQLite", files)
    connect = "import socket; socket.create_connection(('postgres', 5432), 3)"
    for name in ("scheduler", "service", "web"):
        answer = compose("exec", "-T", name, "python", "-c", connect, may_fail=True)
        probe.check("gaierror" in answer.stderr, f"{name} cannot reach PostgreSQL", answer)


def kill_postgres(probe: Probe) -> None:
    """After a crash of the database, runs are recorded again, without anything being restarted by hand."""
    before = _runs()
    kill("postgres")
    wait_for(
        lambda: is_healthy("prefect-server") and is_healthy("scheduler"), "Prefect's server and scheduler are healthy"
    )
    wait_for(_answers, "Prefect's API answers from the database")
    state = run_deployment()
    probe.check(state == "COMPLETED", "after PostgreSQL was killed, a run of the schedule completes", state)
    probe.check(_runs() > before, "and is recorded", _runs())


def restore_history(probe: Probe) -> None:
    """The history of runs comes back from the dump."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        follow("Back up", folder)
        follow("Back up Prefect's history", folder)
        before = _finished()  # runs that are planned come and go
        follow("Destroy", folder)
        follow("Restore Prefect's history", folder)
        follow("Restore", folder)
    probe.check(_finished() == before > 0, f"the record of all {before} finished runs is there again", _finished())
    state = run_deployment()
    probe.check(state == "COMPLETED", "a run of the schedule completes", state)


def _answers() -> bool:
    """Whether Prefect's connections to the database are new ones: the first request on an old one fails."""
    return httpx.post(f"{PREFECT}/api/deployments/filter", json={}, timeout=30).status_code == httpx.codes.OK


def _runs() -> int:
    return _count("select count(*) from flow_run")


def _finished() -> int:
    return _count("select count(*) from flow_run where state_type = 'COMPLETED'")


def _count(query: str) -> int:
    return int(
        inside(
            "postgres", "psql", "--username", "prefect", "--tuples-only", "--no-align", "--command", query, "prefect"
        )
    )


PARTS: list[Part] = [
    ("Prefect's database is PostgreSQL", use_postgres),
    ("PostgreSQL is killed", kill_postgres),
    ("Prefect's history is backed up, destroyed and restored", restore_history),
]
