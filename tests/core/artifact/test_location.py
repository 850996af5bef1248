"""What people write after --repository: what it means, and what is refused because it may mean something else."""

from pathlib import Path

import pytest

from core.artifact.location import Location
from core.errors import ConfigError

FOLDERS = {
    "/data/models": "/data/models",
    "/data/models/": "/data/models",
    "/data//models": "/data/models",
    "//data/models": "/data/models",
    "/": "/",
    "/data/a b": "/data/a b",
    "/data/100%": "/data/100%",
    "/data/%41": "/data/%41",
    "/data/models?x": "/data/models?x",
    "/data/a:b": "/data/a:b",
    "/data/späť": "/data/späť",
    "file:///data/models": "/data/models",
    "file:///data/models/": "/data/models",
    "file:/data/models": "/data/models",
    "file://localhost/data/models": "/data/models",
    "FILE:///data/models": "/data/models",
    "file:////data/models": "/data/models",
    "file:///data/a b": "/data/a b",
    "file:///data/a%20b": "/data/a b",
    "file:///data/100%25": "/data/100%",
    "file:///data/%3Fx": "/data/?x",
    "file:///C:/models": "/C:/models",
}

RELATIVE = {
    "models": "models",
    "./models": "models",
    "models/": "models",
    "models?x": "models?x",
    "./a:b": "a:b",
    "./~": "~",
    "./$HOME": "$HOME",
    ".": ".",
    "models/..": ".",
}

BUCKETS = {
    "s3://bucket": "s3://bucket",
    "s3://bucket/": "s3://bucket",
    "s3://bucket/a/b/": "s3://bucket/a/b",
    "S3://bucket/a": "s3://bucket/a",
    "s3://my.bucket-1/a%20b": "s3://my.bucket-1/a%20b",
    "gs://bucket/a": "gs://bucket/a",
    "az://container/a": "az://container/a",
    "memory://": "memory://",
}

REFUSED = {
    "": "too many characters",
    "m" * 5000: "too many characters",
    " models": "begins or ends with a blank",
    "models ": "begins or ends with a blank",
    "models\n": "begins or ends with a blank",
    "mod\0els": "control character",
    "mod\nels": "control character",
    "~": "no shell has expanded ~",
    "~/m": "no shell has expanded ~.*write ./~/m",
    "~root/m": "no shell has expanded ~",
    "$HOME/m": r"no shell has expanded \$",
    "C:\\models": "a drive of Windows",
    "C:/models": "a drive of Windows",
    "c:models": "a drive of Windows",
    "..\\models": "a backslash",
    "\\\\server\\models": "a backslash",
    "models:2026": r"two slashes are missing.*write \./models:2026",
    "file:": "from the root on",
    "file://": "from the root on.*expected a folder such as",
    "file:models": r"from the root on.*write \./models",
    "file:./models": "from the root on",
    "file://models": "names the host models; write file:///",
    "file://server/models": "names the host server",
    "file://~/m": "names the host ~",
    "file:///data/models?x": "neither . nor #",
    "file:///data/models#x": "neither . nor #",
    "file:///data/a%2Fb": "escape",
    "file:///data/a%00b": "escape",
    "file:///data/a%zz": "escape",
    "file:///data/100%": "escape.*% itself is %25",
    "file:///data/%ff": "not UTF-8",
    "file:///data/../models": r"a part \. or \.\.",
    "file:///data/%2e%2e/models": r"a part \. or \.\.",
    "file://[::1/models": "IPv6",
    "s3:": "two slashes are missing",
    "s3:/b/x": "two slashes are missing behind s3:; write s3://BUCKET/FOLDER",
    "s3:bucket": "two slashes are missing",
    "s3://": "its bucket is missing",
    "s3:///x": "its bucket is missing",
    "s3://key:secret@bucket/x": "belongs in the environment",
    "s3://bucket:9000/x": "belongs in the environment",
    "s3://bucket/x?region=eu": "neither . nor #",
    "s3://bucket/../x": r"a part \. or \.\.",
    "s3://bucket//x": "a part without a name",
    "memory:": "two slashes are missing",
    "memory://models": "only for s3, gs, az and file",
    "http://host/models": "there is no store for http://, only for s3, gs, az and file",
    "https://bucket.s3.amazonaws.com/models": "there is no store for https://",
    "ftp://x": "there is no store for ftp://",
    "nosuch://": "there is no store for nosuch://",
    "://": "its scheme is missing",
    "//://x": "its scheme is missing",
}


@pytest.mark.parametrize(("text", "folder"), FOLDERS.items())
def test_a_folder_is_named_by_its_path_or_by_a_file_url(text: str, folder: str) -> None:
    found = Location.parse(text)
    assert found.folder == Path(folder)
    assert found.url == Path(folder).as_uri()
    assert str(found) == folder
    assert Location.parse(found.url) == found


@pytest.mark.parametrize(("text", "folder"), RELATIVE.items())
def test_a_relative_path_begins_at_the_working_folder(
    text: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = Location.parse(text)
    assert found.folder == tmp_path / folder
    assert Location.parse(found.url) == found


@pytest.mark.parametrize(("text", "url"), BUCKETS.items())
def test_a_bucket_is_named_by_a_url(text: str, url: str) -> None:
    found = Location.parse(text)
    assert (found.url, found.folder, str(found)) == (url, None, url)
    assert Location.parse(found.url) == found


@pytest.mark.parametrize(("text", "finding"), REFUSED.items())
def test_what_may_mean_something_else_is_refused_with_what_to_write(text: str, finding: str) -> None:
    with pytest.raises(ConfigError, match=finding) as caught:
        Location.parse(text)
    message = str(caught.value)
    assert "names no repository: " in message
    assert "; " in message, "the next step"
    assert "\n" not in message
    assert len(message) < 300


def test_a_key_in_a_url_does_not_appear_in_the_error() -> None:
    with pytest.raises(ConfigError, match="'s3://…@bucket/x' names no repository") as caught:
        Location.parse("s3://key:secret@bucket/x")
    assert "secret" not in str(caught.value)


def test_a_link_keeps_its_name_and_what_is_above_it_is_found_as_the_system_does(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a/b")
    assert Location.parse(f"{tmp_path}/link").folder == tmp_path / "link"
    assert Location.parse(f"{tmp_path}/link/../models").folder == tmp_path / "a/models"
    assert Location.parse(f"{tmp_path}/a/../link").folder == tmp_path / "link"
