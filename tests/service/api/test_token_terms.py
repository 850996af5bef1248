"""What may follow a token in its file."""

from types import SimpleNamespace

import pytest

from core.errors import ConfigError
from service.api.access import Guard
from service.api.token_terms import quota_of, terms
from service.api.tokens import Tokens, digest_of
from service.call import client
from service.quota import Quota
from service.roles import RECOGNIZER, Role

TOKEN = "a-token-to-predict"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("predict:abc", None),
        ("predict:abc  rate=100", Quota("predict", 100.0, 200.0)),
        ("predict:abc rate=0.25", Quota("predict", 0.25, 1.0)),
        (" predict:abc\trate=100 burst=7 ", Quota("predict", 100.0, 7.0)),
        ("predict:abc burst=7 rate=100.5", Quota("predict", 100.5, 7.0)),
    ],
)
def test_a_quota_follows_its_token(line, found):
    entry, fields = terms(line)
    assert entry == "predict:abc"
    assert quota_of(Role.PREDICT, fields, "tokens x, line 3", None) == found


MALFORMED = (
    *("rate=", "rate=-1", "rate=0", "rate=1e9", "rate=٤", "rate=inf", "burst=5"),
    *("rate=1 burst=0", "rate=1 of", "rate=1 rate=2", "with a secret"),
)


@pytest.mark.parametrize("fields", MALFORMED)
def test_a_malformed_quota_names_the_line_and_quotes_nothing(fields):
    with pytest.raises(ConfigError, match="tokens x, line 3: expected a token without spaces") as caught:
        quota_of(Role.PREDICT, fields.split(), "tokens x, line 3", None)
    assert "rate=100 burst=200" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.fixture
def file(tmp_path):
    found = tmp_path / "tokens"
    found.touch(mode=0o600)
    return found


def test_a_quota_goes_on_counting_when_the_file_is_read_again(file):
    file.write_text(f"predict:{TOKEN} rate=1 burst=5\n")
    tokens, digest = Tokens(str(file)), digest_of(TOKEN.encode())
    before = tokens.quota_of(digest)
    assert before is not None
    file.write_text(f"# the same\npredict:{TOKEN} rate=1 burst=5\n")
    tokens.look()
    assert tokens.quota_of(digest) is before
    file.write_text(f"predict:{TOKEN} rate=2 burst=5\n")
    tokens.look()
    assert tokens.quota_of(digest) == Quota("predict", 2.0, 5.0)
    file.write_text(f"predict:{TOKEN}\n")
    tokens.look()
    assert tokens.quota_of(digest) is None


def test_a_call_with_a_token_is_its_tokens_whatever_its_host_and_is_not_named_by_it(file):
    file.write_text(f"predict:{TOKEN}")
    client.set("192.0.2.7")
    call = SimpleNamespace(invocation_metadata=lambda: (("authorization", f"Bearer {TOKEN}"),))
    Guard(Tokens(str(file))).enter(f"/{RECOGNIZER}/Recognize", call)
    assert client.get() == digest_of(TOKEN.encode()).hex()
