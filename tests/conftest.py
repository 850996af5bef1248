"""What holds for all tests."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import leftovers
from tests.prefect_server import prefect, prefect_environment  # noqa: F401 — fixtures

# How long an example takes, or takes to generate, says how busy the machine is, and nothing about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

FIRST = ("tests/e2e/", "tests/docs/", "tests/browser/", "tests/benchmarks/")
"""These take longest. They begin first, so that no process is left with one of them when all others have finished."""


def pytest_configure() -> None:
    leftovers.mark()
    # A shell starts with SIGINT ignored what it is told to run in the background. Processes that tests start, and then
    # interrupt, would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))  # after pytest-randomly, whose order stays within


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process that tests have left behind is an error."""
    if hasattr(session.config, "workerinput"):  # a process of pytest-xdist: the one that started it looks, at the end
        return
    if found := leftovers.after(30):
        leftovers.end(found)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        reporter.write_sep("=", "processes left behind by the tests, and killed", red=True)
        for number, command in found.items():
            reporter.write_line(f"{number}: {command}")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder of this run that all processes of pytest-xdist share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def cache_dir(shared_folder: Path) -> Iterator[Path]:
    """What commands remember of manifests: not in the home of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMERAL_CACHE_DIR", str(shared_folder / "remembered"))
        yield shared_folder / "remembered"
