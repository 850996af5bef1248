"""What is read again stays as it was, until it can be replaced."""

import logging

import pytest

from core.errors import ConfigError
from service.reloaded import Reloaded


class Number:
    """A number in a text that the test changes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.reports: list[bool] = []
        self.kept = Reloaded(
            lambda: self.text,
            self._parse,
            log=logging.getLogger(__name__),
            consequence="the old one stays",
            report=self.reports.append,
        )

    def _parse(self, text: str) -> int:
        if not text.isdigit():
            raise ConfigError(f"number: found {text!r}, expected digits")
        return int(text)


def test_what_cannot_be_used_at_first_is_an_error():
    with pytest.raises(ConfigError, match="expected digits"):
        Number("x")


def test_a_new_value_replaces_the_old_one():
    number = Number("1")
    assert not number.kept.look()
    number.text = "2"
    assert number.kept.look()
    assert number.kept.value == 2
    assert number.reports == [True] * 3


def test_what_cannot_be_used_leaves_the_old_value_and_is_logged_once(caplog):
    number = Number("1")
    number.text = "x"
    for _ in range(4):
        assert not number.kept.look()
    assert number.kept.value == 1
    [record] = caplog.records
    assert record.message == "number: found 'x', expected digits; the old one stays"
    assert number.reports == [True, True, False, False, False]


def test_what_is_half_written_at_one_look_is_no_mistake(caplog):
    number = Number("1")
    number.text = "x"
    number.kept.look()
    number.text = "2"
    assert number.kept.look()
    assert (caplog.records, number.reports) == ([], [True] * 3)


def test_another_mistake_is_logged_too(caplog):
    number = Number("1")
    for text in ("x", "x", "y", "y"):
        number.text = text
        number.kept.look()
    assert [record.message[:17] for record in caplog.records] == ["number: found 'x'", "number: found 'y'"]


@pytest.mark.parametrize("text", ["1", "2"])
def test_what_can_be_used_after_a_mistake_is_reported(caplog, text):
    number = Number("1")
    number.text = "x"
    number.kept.look()
    number.kept.look()
    number.text = text
    assert number.kept.look() == (text == "2")
    assert number.reports == [True, True, False, True]
    number.text = "x"
    number.kept.look()
    number.kept.look()
    assert number.reports[-1] is False, "the same mistake again is a new one"
    assert sum(record.levelno == logging.ERROR for record in caplog.records) == 2
