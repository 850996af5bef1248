"""Settings: what the environment sets for every command."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.errors import ConfigError
from core.shipped import ROOT
from pipelines.cli.commands import app
from pipelines.settings import Settings


def test_the_environment_sets_the_repository_and_the_mirrors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMERAL_REPOSITORY", "s3://bucket/models")
    monkeypatch.setenv("NUMERAL_MIRRORS", '["file:///mnt/mnist"]')
    assert Settings().repository == "s3://bucket/models"
    assert Settings().mirrors == ("file:///mnt/mnist",)


def test_the_environment_names_the_feedback_folder_or_turns_feedback_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NUMERAL_FEEDBACK", str(tmp_path))
    assert Settings().feedback == tmp_path
    monkeypatch.setenv("NUMERAL_FEEDBACK", "off")
    assert Settings().feedback is None


@pytest.mark.parametrize(
    ("cache", "expected"), [("/var/cache/me", "/var/cache/me"), ("me", "/home/me/.cache"), (None, "/home/me/.cache")]
)
def test_what_is_remembered_lies_in_the_folder_for_what_can_be_made_again(
    cache: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMERAL_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    if cache:
        monkeypatch.setenv("XDG_CACHE_HOME", cache)
    assert Settings().cache_dir == Path(expected, "numeral")
    monkeypatch.setenv("NUMERAL_CACHE_DIR", "off")
    assert Settings().cache_dir is None


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_a_blank_variable_counts_as_not_set(blank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"NUMERAL_{name.upper()}", raising=False)
    unset = Settings()
    for name in Settings.model_fields:
        monkeypatch.setenv(f"NUMERAL_{name.upper()}", blank)
    assert Settings() == unset


@pytest.mark.parametrize(
    ("text", "mirrors"),
    [
        ("http://one/mnist", ("http://one/mnist",)),
        ("http://one/, file:///two", ("http://one/", "file:///two")),
        (" http://one/\n\tfile:///two ", ("http://one/", "file:///two")),
        ('["http://one/", "file:///a b,c"]', ("http://one/", "file:///a b,c")),
        (" [] ", ()),
        (",", ()),
    ],
)
def test_mirrors_are_separated_by_blanks_or_commas_or_a_json_list(
    text: str, mirrors: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMERAL_MIRRORS", text)
    assert Settings().mirrors == mirrors


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MIRRORS", "[1", "found '[1', expected addresses separated by blanks or commas, or a JSON list of them (Exp"),
        ("MIRRORS", '["http://a/", 1]', "expected addresses separated by blanks or commas, or a JSON list of them"),
        ("MIRRORS", '{"a": "b"}', "expected addresses separated by blanks or commas"),
        ("MIRRORS", f"[{'x' * 500}", f"found '[{'x' * 79}…', expected addresses"),
        ("KEEP_DAYS", "soon", "found 'soon', expected a valid integer"),
        ("KEEP_DAYS", "0", "found '0', expected greater than or equal to 1"),
        ("PAGE_URL", "digits.example", "found 'digits.example', expected the address of the page, such as https://"),
        ("PAGE_URL", "https://me:secret@digits.example", "expected the address of the page"),
        ("REPOSITORY", "file:models", "'file:models' names no repository: a file URL names a folder from the root on"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named_in_one_sentence(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"NUMERAL_{name}", value)
    with pytest.raises(ConfigError) as caught:
        Settings()
    assert str(caught.value).startswith(f"NUMERAL_{name}: ")
    assert message in str(caught.value)
    assert "pydantic" not in str(caught.value)


def test_every_command_reports_such_a_variable_with_exit_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMERAL_MIRRORS", "[1")
    for command in (["retrain"], ["schedule", "--cron", "0 3 * * *"], ["models", "list"], ["clean"], ["find-rate"]):
        done = CliRunner().invoke(app, command)
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
        assert done.stderr.startswith("error: NUMERAL_MIRRORS: found '[1'")


@pytest.mark.parametrize(
    ("value", "folders"),
    [
        ("/data/extra", ["/data/extra"]),
        ('["/data/one", "/data/two, three"]', ["/data/one", "/data/two, three"]),
        ("[]", []),
        ("", []),
    ],
)
def test_the_environment_names_one_folder_of_new_data_or_a_list(
    value: str, folders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMERAL_EXTRA", value)
    assert Settings().extra == tuple(map(Path, folders))


def test_new_data_is_judged_by_what_ships_by_another_repository_or_by_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMERAL_PRETRAINED", raising=False)
    assert Settings().pretrained == str(ROOT / "pretrained")
    monkeypatch.setenv("NUMERAL_PRETRAINED", "s3://bucket/models")
    assert Settings().pretrained == "s3://bucket/models"
    monkeypatch.setenv("NUMERAL_PRETRAINED", "off")
    assert Settings().pretrained is None
