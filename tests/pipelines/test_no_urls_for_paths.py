"""A URL where a path of this machine is expected: nothing is made under its name."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from core.errors import ConfigError
from pipelines.cli.commands import app
from pipelines.order import Order


@pytest.mark.parametrize("url", ["s3://models/cache", "gs://models/cache", "https://example.org/cache"])
@pytest.mark.parametrize("field", ["data_dir", "feedback", "handwriting", "extra"])
def test_no_folder_of_an_order_may_be_a_url(url: str, field: str) -> None:
    given: Any = (url,) if field == "extra" else url
    flag = f"--{field.replace('_', '-')}"
    with pytest.raises(ConfigError, match=f"^{flag}: found a URL, {url}, expected a path on this machine, as only"):
        Order(**{field: given})


def test_the_environment_names_no_url_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMERAL_DATA_DIR", "s3://models/cache")
    with pytest.raises(ConfigError, match=r"^--data-dir: found a URL"):
        Order()


@pytest.mark.parametrize(
    "words",
    [
        ["sweep", "--space", "recipes/spaces/mlp.toml", "--output", "s3://models/report.html"],
        ["study", "depth", "--output", "s3://models/study.html"],
        ["models", "compare", "1", "2", "--output", "s3://models/compare.html"],
        ["feedback", "list", "--page", "s3://models/page.html"],
        ["clean", "--data-dir", "s3://models/cache"],
        ["health", "--data-dir", "s3://models/cache"],
    ],
)
def test_no_command_writes_to_a_url_as_if_it_were_a_folder(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "--data-dir" not in words:
        words = [*words, "--data-dir", str(tmp_path / "data")]
    space = Path("recipes/spaces/mlp.toml").resolve()
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [str(space) if word.startswith("recipes/") else word for word in words])
    assert done.exit_code == 1
    assert "found a URL, s3://models/" in done.stderr.replace("\n", " ")
    assert not [path for path in tmp_path.iterdir() if path.name != "data"]
