"""The environment in which Prefect is imported, here or in a process that this one starts.

Prefect reads its settings when it is imported, so `prepare` must be called before that. Variables that the user has set
are left alone.
"""

import os
import stat
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

_SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "DO_NOT_TRACK": "1",
    # The console shows this project's messages. Prefect's own, with tracebacks, go to its server, together with these.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "numeral.pipelines",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    # Otherwise the runs of every night, with their tasks and logs, stay in the database for ever.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def prepare(*, show_errors: bool = False) -> str | None:
    """Set the variables that the user has not set, and see to it that Prefect has a folder that it can write to.

    Args:
        show_errors: Whether Prefect's errors, with their tracebacks, appear on the console as well: for the log of a
            scheduler, which runs unattended.

    Returns:
        A sentence for people if Prefect's own folder cannot be used and a temporary one takes its place.
    """
    shown = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "ERROR"} if show_errors else {}
    for name, value in (_SETTINGS | shown).items():
        os.environ.setdefault(name, value)
    spare_loopback(os.environ)
    return _writable_home()


def spare_loopback(environment: MutableMapping[str, str]) -> None:
    """Except this machine itself from any proxy: what listens on loopback cannot be reached through one."""
    excepted = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    known = [host.strip() for host in excepted.split(",") if host.strip()]
    if "*" not in known:
        environment["no_proxy"] = environment["NO_PROXY"] = ",".join(dict.fromkeys([*known, *_LOOPBACK]))


def child_environment() -> dict[str, str]:
    """The environment of a process that this one starts, in which this project can be imported from any folder."""
    from core.shipped import ROOT  # here: it is imported with pydantic, long after signals are handled

    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path}


def _writable_home() -> str | None:
    try:
        home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect").expanduser()
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except (OSError, RuntimeError) as error:  # RuntimeError: the user has no home, and HOME is not set
        try:
            instead = _temporary_home()
        except OSError as none:
            return f"Prefect cannot write to its folder ({error}), nor to a temporary one ({none})"
        os.environ["PREFECT_HOME"] = instead
        if not os.environ.get("HOME"):
            os.environ["HOME"] = instead
        return (
            f"Prefect cannot write to its folder ({error}), so it uses {instead}; set PREFECT_HOME to a folder to keep"
        )
    return None


def _temporary_home() -> str:
    """A folder of this user alone, the same for every run: a fresh one costs Prefect's server 20 s each time."""
    folder = Path(tempfile.gettempdir()) / f"numeral-prefect-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        return tempfile.mkdtemp(prefix="numeral-prefect-")  # somebody else has made it
    return str(folder)
