"""What Prefect finds in the environment."""

import os
from pathlib import Path

import pytest

from pipelines.engine import environment


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    monkeypatch.setattr(os, "environ", kept | {"PREFECT_HOME": str(tmp_path / "home")})
    monkeypatch.setattr(environment.tempfile, "tempdir", str(tmp_path))


def test_variables_of_the_user_are_left_alone() -> None:
    os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "DEBUG"
    assert environment.prepare() is None
    assert os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] == "DEBUG"
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "example.org"}, "example.org,127.0.0.1,localhost,::1"),
        ({"no_proxy": "localhost, example.org"}, "localhost,example.org,127.0.0.1,::1"),
        ({"no_proxy": "a", "NO_PROXY": "b"}, "a,127.0.0.1,localhost,::1"),
    ],
)
def test_loopback_never_goes_through_a_proxy(before: dict[str, str], after: str) -> None:
    environment.spare_loopback(before)
    assert before == {"no_proxy": after, "NO_PROXY": after}


def test_a_user_who_excepts_every_host_is_believed() -> None:
    everything = {"no_proxy": "*"}
    environment.spare_loopback(everything)
    assert everything == {"no_proxy": "*"}


def test_a_folder_that_cannot_be_written_is_replaced_by_a_temporary_one(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, in which even root makes no folder")
    sentence = environment.prepare()
    assert sentence is not None
    assert sentence.startswith("Prefect cannot write to its folder (")
    assert Path(os.environ["PREFECT_HOME"]).parent == tmp_path
    assert os.environ["PREFECT_HOME"] in sentence


def test_a_user_without_a_home_gets_a_temporary_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    del os.environ["PREFECT_HOME"]
    os.environ.pop("HOME", None)

    def no_entry() -> Path:
        raise RuntimeError("Could not determine home directory.")  # what pathlib says of a user without an entry

    monkeypatch.setattr(Path, "home", no_entry)
    assert environment.prepare() is not None
    assert os.environ["HOME"] == os.environ["PREFECT_HOME"]
