"""Which files are taken for certificates, keys or tokens, and what is said of the others."""

import os

import pytest

from core.errors import ConfigError
from service import secret_file
from service.secret_file import LARGEST_BYTES

TEXT = "predict:a-token-to-predict\n"


@pytest.fixture
def written(tmp_path):
    """Write a file with a mode; gives it."""

    def write(contents: bytes, mode: int = 0o640):
        file = tmp_path / "secret"
        file.write_bytes(contents)
        file.chmod(mode)
        return file

    return write


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_plain_text_is_read_whatever_ends_its_lines(written, ending):
    contents = TEXT.replace("\n", ending).encode()
    assert secret_file.read(written(contents), "tokens", private=True) == contents


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"", "is empty"),
        (b" \r\n\n", "is empty"),
        (TEXT.encode("utf-8-sig"), "byte-order mark"),
        (TEXT.encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "UTF-16"),
        (b"x" * (LARGEST_BYTES + 1), "larger than"),
    ],
)
def test_a_file_that_is_not_plain_text_is_named_with_what_it_is(written, contents, words):
    file = written(contents)
    with pytest.raises(ConfigError, match=words) as caught:
        secret_file.read(file, f"tokens {file}", private=True)
    assert str(caught.value).startswith(f"tokens {file}: ")


@pytest.mark.parametrize("mode", [0o644, 0o602])
def test_a_private_file_is_refused_if_any_user_has_access_to_it(written, mode):
    with pytest.raises(ConfigError, match="chmod o="):
        secret_file.read(written(TEXT.encode(), mode), "tokens", private=True)
    assert secret_file.read(written(TEXT.encode(), mode), "certificate", private=False)


def test_a_folder_a_pipe_and_a_missing_file_are_told_apart_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("", "is a folder"), ("pipe", "is a pipe"), ("nowhere", "No such file"), ("\0", "null")):
        with pytest.raises(ConfigError, match=words):
            secret_file.read(tmp_path / name, "tokens", private=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read any file")
def test_a_file_without_permission_says_which_user_needs_it(written):
    with pytest.raises(ConfigError, match=f"let user {os.geteuid()} read it"):
        secret_file.read(written(TEXT.encode(), 0), "tokens", private=True)
