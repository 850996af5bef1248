"""Files are looked at regularly, at once when asked, and in spite of mistakes."""

import pytest

from service.api.tokens import Tokens
from service.server import renewal
from service.server.renewal import Renewal
from tests.patience import eventually
from tests.threads import alive


class Counted(Tokens):
    """Counts the looks, and fails at one of them."""

    def __init__(self, file, fails_at=0):
        super().__init__(str(file))
        self.looks, self._fails_at = 0, fails_at

    def look(self):
        self.looks += 1
        if self.looks == self._fails_at:
            raise RuntimeError("a mistake of ours")
        super().look()


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Look at a file of tokens from now on, every so many seconds."""
    file, begun = tmp_path / "tokens", []
    file.touch(mode=0o600)
    file.write_text("predict:a-token-to-predict")

    def begin(seconds, **options):
        monkeypatch.setattr(renewal, "LOOK_SECONDS", seconds)
        tokens = Counted(file, **options)
        begun.append(Renewal(None, tokens, None))
        begun[-1].start()
        return tokens, begun[-1]

    yield begin
    for each in begun:
        each.stop()


def test_files_are_looked_at_regularly_even_after_a_mistake_of_ours(begin, caplog):
    tokens, _ = begin(0.001, fails_at=2)
    eventually(lambda: tokens.looks > 4)
    [record] = caplog.records
    assert record.exc_info


def test_files_are_looked_at_at_once_when_asked(begin):
    tokens, looks = begin(3600.0)
    eventually(lambda: tokens.looks == 1)
    looks.look_now()
    eventually(lambda: tokens.looks == 2)


def test_nothing_is_looked_at_after_the_end(begin):
    tokens, looks = begin(3600.0)
    eventually(lambda: tokens.looks == 1)
    looks.stop()
    looks.stop()
    looks.look_now()
    assert not alive("renewal")
    assert tokens.looks == 1


def test_nothing_is_begun_without_certificates_and_tokens():
    nothing = Renewal(None, None, None)
    nothing.start()
    nothing.look_now()
    nothing.stop()
