"""A URL where a path of this machine is expected is refused; what only looks like one is a path."""

from pathlib import Path

import pytest

from core.errors import ConfigError
from core.local_path import local_path


@pytest.mark.parametrize(
    "path", ["table.csv", "/data/a:b/table.csv", "./a:b", "a:b.csv", "C:/x", ".", "s3/x", "a/s3://b"]
)
def test_a_path_is_taken_as_it_is(path: str) -> None:
    assert local_path(Path(path), "--output") == Path(path)


@pytest.mark.parametrize("url", ["s3://bucket/a", "file:///data/a", "https://example.org/a"])
def test_a_url_is_refused_with_the_next_step(url: str) -> None:
    with pytest.raises(ConfigError, match=f"^--output: found a URL, {url}, expected a path"):
        local_path(Path(url), "--output")
