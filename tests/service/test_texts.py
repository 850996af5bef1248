import pytest

from service.texts import quoted, shortened, version_number


def test_a_short_text_is_quoted_whole() -> None:
    assert quoted("challenger") == "'challenger'"


def test_of_a_long_text_the_beginning_and_the_length_are_quoted() -> None:
    assert quoted("x" * 20_000) == f"'{'x' * 40}'… (20,000 characters)"


def test_characters_that_a_terminal_would_obey_are_escaped() -> None:
    assert quoted("\x1b[2J\n") == r"'\x1b[2J\n'"


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("42", 42), ("999999999", 999_999_999)])
def test_a_version_has_one_spelling(text: str, number: int) -> None:
    assert version_number(text) == number


@pytest.mark.parametrize("text", ["", "0", "01", "+1", "1 ", "１", "٤", "²", "1_0", "1.0", "-1", "9" * 10, "9" * 4301])
def test_any_other_text_is_no_number_of_a_version(text: str) -> None:
    assert version_number(text) is None


def test_a_sentence_that_fits_into_a_status_is_left_as_it_is() -> None:
    assert shortened("x" * 1000) == "x" * 1000
    assert shortened("€" * 333) == "€" * 333


@pytest.mark.parametrize("character", ["x", "€", "🖍"])
def test_a_sentence_that_is_too_long_for_a_status_is_cut_between_two_characters(character: str) -> None:
    found = shortened(character * 20_000)
    assert found == character * (1000 // len(character.encode())) + "…"
