import json

import pytest

from core.artifact.sealed import DIGEST, opened, sealed

DOCUMENT = {"name": "späť", "value": 0.1, "inner": {"b": [1, 2.0], "a": None}}


def test_a_document_is_opened_as_it_was_sealed() -> None:
    assert opened(sealed(DOCUMENT), known=()) == DOCUMENT
    assert list(json.loads(sealed(DOCUMENT))) == [*DOCUMENT, DIGEST]


def test_a_document_with_a_digest_may_have_fields_that_are_not_known() -> None:
    assert opened(sealed(DOCUMENT | {"newer": 1}), known=DOCUMENT) == DOCUMENT | {"newer": 1}


def test_a_document_without_a_digest_may_only_have_known_fields() -> None:
    data = json.dumps(DOCUMENT).encode()
    assert opened(data, known=DOCUMENT) == DOCUMENT
    with pytest.raises(ValueError, match="not known, and no digest"):
        opened(data, known=("name", "value"))


def test_blanks_and_the_order_of_fields_may_change_but_no_value() -> None:
    whole = json.loads(sealed(DOCUMENT))
    assert opened(json.dumps(whole, sort_keys=True, indent=8).encode(), known=()) == DOCUMENT
    with pytest.raises(ValueError, match="digest does not match"):
        opened(json.dumps(whole | {"value": 0.2}).encode(), known=DOCUMENT)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1, "a": 1}', b'{"digest": 1}']
)
def test_what_is_no_document_is_refused_with_the_one_kind_of_error(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 — its words depend on the data
        opened(data, known=("a",))
