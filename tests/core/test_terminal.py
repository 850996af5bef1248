import io
import sys

import pytest

from core.terminal import IN_ASCII, accept_any_text, printable


def printed(text: str, monkeypatch: pytest.MonkeyPatch, encoding: str) -> bytes:
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding, errors="strict"))
    accept_any_text()
    print(text, end="", flush=True)
    return output.getvalue()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7: ██ 20%", b"7: ## 20%"),
        ("loading …", b"loading ..."),
        ("Größe", b"Gr\\xf6\\xdfe"),
        ("八\udcff", b"\\u516b\\udcff"),
        ("plain", b"plain"),
    ],
)
def test_what_ascii_lacks_is_printed_in_another_way(
    monkeypatch: pytest.MonkeyPatch, text: str, expected: bytes
) -> None:
    assert printed(text, monkeypatch, "ascii") == expected


def test_what_stands_for_our_own_characters_is_ascii() -> None:
    assert all(text.isascii() for text in IN_ASCII.values())


def test_what_the_encoding_has_is_printed_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed("█ Größe \udcff", monkeypatch, "utf-8") == "█ Größe \\udcff".encode()


def test_a_stream_in_place_of_standard_output_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    accept_any_text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Größe 7.png", "Größe 7.png"),
        ("two\nlines", "two\\nlines"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("not utf-8: \udcff", "not utf-8: \\udcff"),
    ],
)
def test_a_printable_text_is_one_line_that_no_terminal_obeys(text: str, expected: str) -> None:
    assert printable(text) == expected
