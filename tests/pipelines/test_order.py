"""An order: one object behind the command line, Prefect's pages and a schedule."""

import inspect
import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.main import get_command
from typer.testing import CliRunner

from core.errors import ConfigError
from pipelines.cli.commands import app
from pipelines.order import Order, takes_order
from pipelines.retrain.flow import retrain

FLAGS = [
    "--recipe", "--set", "--repository", "--data-dir", "--mirror", "--feedback", "--handwriting", "--promote",
    "--infra-gate", "--canary-service", "--extra", "--wait",
]  # fmt: skip


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMERAL_REPOSITORY", "s3://bucket/models")
    monkeypatch.setenv("NUMERAL_DATA_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NUMERAL_MIRRORS", '["file:///mnt/mnist"]')
    monkeypatch.setenv("NUMERAL_FEEDBACK", str(tmp_path / "feedback"))
    monkeypatch.setenv("NUMERAL_EXTRA", str(tmp_path / "extra"))


def test_an_empty_order_is_filled_from_the_environment(tmp_path: Path) -> None:
    expected = Order(
        recipe="mlp",
        overrides=(),
        repository="s3://bucket/models",
        data_dir=tmp_path / "cache",
        mirrors=("file:///mnt/mnist",),
        feedback=tmp_path / "feedback",
        extra=(tmp_path / "extra",),
    )
    unused: dict[str, object] = dict.fromkeys(Order.model_fields) | {"overrides": [], "mirrors": [], "extra": []}
    assert Order() == expected
    assert Order.model_validate(unused) == expected


def test_a_value_that_is_given_takes_precedence_over_the_environment() -> None:
    order = Order(repository="elsewhere", mirrors=("http://mirror/",))
    assert (order.repository, order.mirrors) == ("elsewhere", ("http://mirror/",))


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize("field", list(Order.model_fields))
def test_a_blank_value_is_refused_with_the_name_of_its_flag(field: str, blank: str) -> None:
    value = [blank] if field in {"overrides", "mirrors"} else blank
    with pytest.raises(ConfigError, match=f"^{FLAGS[[*Order.model_fields].index(field)]}: found {blank!r}, expected a"):
        Order.model_validate({field: value})


@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag not in {"--promote", "--infra-gate", "--wait"}])
def test_a_blank_flag_ends_the_command_with_one_sentence(flag: str) -> None:
    done = CliRunner().invoke(app, ["retrain", flag, ""])
    assert (done.exit_code, done.stderr) == (
        1,
        f"error: {flag}: found '', expected a value; leave the flag out for the default\n",
    )


def test_feedback_that_is_off_stays_off_where_the_environment_names_a_folder() -> None:
    order = Order.model_validate({"feedback": "off"})
    assert order.feedback is None
    assert Order(**json.loads(json.dumps(order.parameters))) == order


def test_folders_are_absolute_so_that_a_scheduled_run_finds_them_from_anywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    order = Order(data_dir=Path("here"), feedback=Path("there"), extra=(Path("new"),))
    assert (order.data_dir, order.feedback) == (tmp_path / "here", tmp_path / "there")
    assert order.extra == (tmp_path / "new",)


def test_a_folder_that_is_a_loop_of_links_is_left_to_the_run_to_report(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    order = Order(data_dir=loop, feedback=loop, handwriting=loop, extra=(loop,))
    assert {order.data_dir, order.feedback, order.handwriting, *order.extra} == {loop}


def test_a_folder_that_is_not_mounted_now_is_left_to_the_run_to_report(tmp_path: Path) -> None:
    assert Order(handwriting=tmp_path / "share").handwriting == tmp_path / "share"


def test_the_same_order_is_made_again_from_its_parameters_as_json() -> None:
    order = Order(overrides=("train.epochs=2",))
    assert Order(**json.loads(json.dumps(order.parameters))) == order


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Order.model_validate({"recipes": "mlp"})


@pytest.mark.parametrize("url", ["ftp://x", "file:models", "~/m", "s3://"])
def test_a_repository_that_no_store_knows_is_refused_before_anything_is_trained(url: str) -> None:
    with pytest.raises(ConfigError, match="names no repository"):
        Order(repository=url)


def test_every_command_refuses_such_a_repository_in_one_sentence(tmp_path: Path) -> None:
    for command in (["retrain"], ["schedule", "--cron", "0 3 * * *"], ["models", "list"], ["models", "prune"]):
        done = CliRunner().invoke(app, [*command, "--repository", "file:models"])
        assert done.exit_code == 1
        assert "error: 'file:models' names no repository: a file URL names a folder from the root on" in done.stderr


@pytest.mark.parametrize("command", ["retrain", "schedule"])
def test_every_field_is_a_flag_of_the_command(command: str) -> None:
    parameters = {p.name: p for p in get_command(app).commands[command].params}  # type: ignore[attr-defined]
    assert [parameters[field].opts for field in Order.model_fields] == [[flag] for flag in FLAGS]
    assert all(parameters[field].help for field in Order.model_fields)


def test_every_field_is_a_described_parameter_of_the_flow() -> None:
    properties = retrain.parameters.properties
    assert properties.keys() == Order.model_fields.keys()
    assert all(properties[field]["description"] for field in properties)
    assert properties["recipe"]["default"] == "mlp"
    assert retrain.parameters.required == []


def test_a_function_may_take_some_fields_beside_parameters_of_its_own() -> None:
    @takes_order("recipe", "data_dir")
    def function(*, count: int = 1, **given: object) -> None:
        """Do nothing."""

    assert list(inspect.signature(function).parameters) == ["recipe", "data_dir", "count"]
