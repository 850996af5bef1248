"""Which files of tokens are read, and what is said of the others."""

import hashlib

import pytest

from core.errors import ConfigError
from service.api.tokens import Tokens, digest_of
from service.observer import Observer
from service.roles import Role

PREDICT, ADMIN = "a-token-to-predict", "a-token-to-administer"


class Heard(Observer):
    """Remembers what is reported."""

    def __init__(self):
        self.reports = []

    def reloaded(self, secret, usable):
        self.reports.append((secret, usable))


def test_a_digest_stands_for_its_token(tokens):
    known = Tokens(tokens("# for the scanner", "", f"admin:sha256:{hashlib.sha256(ADMIN.encode()).hexdigest()}"))
    assert known.role_of(digest_of(ADMIN.encode())) is Role.ADMIN
    assert known.role_of(digest_of(PREDICT.encode())) is Role.ANYBODY


def test_a_token_that_looks_like_a_digest_is_a_token(tokens):
    token = "0123456789abcdef" * 4
    assert Tokens(tokens(f"predict:{token}")).role_of(digest_of(token.encode())) is Role.PREDICT


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("predict", "expected predict:TOKEN or admin:TOKEN"),
        ("root:some-long-enough-token", "expected predict:TOKEN or admin:TOKEN"),
        ("predict:tooshort", "at least 16"),
        ("predict:with a space in the middle", "without spaces"),
        ("predict:sha256:abc", "64 hexadecimal digits"),
        ("# nothing", "holds no token"),
    ],
)
def test_a_malformed_line_is_named_but_not_quoted(tokens, line, words):
    with pytest.raises(ConfigError) as caught:
        Tokens(tokens(line))
    assert words in str(caught.value)
    assert line.partition(":")[2] not in str(caught.value) or ":" not in line


def test_a_file_that_anybody_can_read_is_refused(tokens):
    file = tokens(f"predict:{PREDICT}")
    tokens.file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod o="):
        Tokens(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="nowhere"):
        Tokens(str(tmp_path / "nowhere"))


def test_a_token_with_two_roles_is_refused_and_with_one_role_twice_is_not(tokens):
    with pytest.raises(ConfigError, match="line 3: an earlier line gives the same token another role") as caught:
        Tokens(tokens(f"predict:{PREDICT}", "", f"admin:sha256:{digest_of(PREDICT.encode()).hex()}"))
    assert PREDICT not in str(caught.value)
    known = Tokens(tokens(f"predict:{PREDICT}", f"predict:{PREDICT}"))
    assert known.role_of(digest_of(PREDICT.encode())) is Role.PREDICT


def test_lines_that_end_as_on_windows_are_read(tokens):
    known = Tokens(tokens(f"predict:{PREDICT}\r", f"admin:{ADMIN}\r"))
    assert known.role_of(digest_of(ADMIN.encode())) is Role.ADMIN


def test_bytes_that_are_no_text_are_refused(tokens):
    file = tokens()
    tokens.file.write_bytes(b"predict:" + bytes(range(128, 192)))
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        Tokens(file)


@pytest.mark.parametrize("spoil", ["remove", "mark", "empty", "open"])
def test_a_file_that_becomes_unusable_leaves_its_tokens_valid_and_is_reported(tokens, caplog, spoil):
    heard = Heard()
    known = Tokens(tokens(f"predict:{PREDICT}"), heard)
    match spoil:
        case "remove":
            tokens.file.unlink()
        case "mark":
            tokens.file.write_text(f"predict:{ADMIN}", "utf-8-sig")
        case "empty":
            tokens.file.write_bytes(b"")
        case "open":
            tokens(f"predict:{ADMIN}")
            tokens.file.chmod(0o644)
    for _ in range(3):
        known.look()
    assert known.role_of(digest_of(PREDICT.encode())) is Role.PREDICT
    [record] = caplog.records
    assert "the previous tokens remain valid" in record.message
    assert heard.reports == [("tokens", True)] * 2 + [("tokens", False)] * 2, "the second look confirms the first"
