"""The fields of a form that a browser has sent, within limits."""

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

__all__ = ["Fields", "FormError", "fields_of"]

LARGEST_FORM = 64 * 1024
"""Bytes. A form that names all items of a page of feedback has a few thousand."""

MOST_FIELDS = 1000

Fields = Mapping[str, list[str]]
"""The values of each field, in the order in which they were sent."""


class FormError(Exception):
    """What was sent is no form, or too large. `status` is the HTTP status that says so."""

    def __init__(self, status: int, key: str) -> None:
        """Refuse a form.

        Args:
            status: The HTTP status.
            key: The key of the sentence among the words.
        """
        super().__init__(key)
        self.status, self.key = status, key


async def fields_of(request: Request) -> Fields:
    """The fields of the form in a request.

    Raises:
        FormError: It is not `application/x-www-form-urlencoded`, which all forms of these pages are, or too large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise FormError(400, "admin.form.kind")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            raise FormError(413, "admin.form.large")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="replace", max_num_fields=MOST_FIELDS)
    except ValueError:  # not UTF-8, or too many fields
        raise FormError(400, "admin.form.kind") from None
    return _grouped(pairs)


def _grouped(pairs: Iterable[tuple[str, str]]) -> Fields:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
