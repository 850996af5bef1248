"""What clients send as text: how long it may be, how much of it an error repeats, and which of it names a version.

A client chooses its texts, so their length is the client's choice too. The service would hold a text of megabytes for
as long as the call lasts, an error that repeated one whole could grow beyond what gRPC sends as the message of a
status, and Python refuses to turn thousands of digits into a number.
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from service.errors import RequestError

__all__ = ["LONGEST_TEXT", "MOST_ENTRIES", "check_texts", "quoted", "shortened", "version_number"]

LONGEST_TEXT = 1024
"""Characters of any text in a request: a name, an id, a parameter …"""

LONGEST_CONFIG = 64 * 1024
"""… except the configuration in a request to load a model, which existing clients send whole."""

MOST_ENTRIES = 64
"""Entries of any list or map that contains texts: inputs, outputs, parameters."""

LONGEST_QUOTE = 40
"""Characters of a text that an error repeats."""

LONGEST_SENTENCE = 1000
"""Bytes of an error in UTF-8. gRPC may send each as three, and clients may refuse more than 8 kB in all."""

_LIMITS = {"inference.ModelRepositoryParameter.string_param": LONGEST_CONFIG}

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def quoted(text: str) -> str:
    """A text in quotes, escaped, for a message: at most its first 40 characters, and its length if it has more."""
    if len(text) <= LONGEST_QUOTE:
        return repr(text)
    return f"{text[:LONGEST_QUOTE]!r}… ({len(text):,} characters)"


def shortened(sentence: str) -> str:
    """A sentence that can be sent as the message of a status: its first 1,000 bytes if it is longer."""
    if len(sentence) * 4 <= LONGEST_SENTENCE or len(sentence.encode()) <= LONGEST_SENTENCE:
        return sentence
    return sentence.encode()[:LONGEST_SENTENCE].decode(errors="ignore") + "…"


def version_number(text: str) -> int | None:
    """The number of a version in its one spelling; None for anything else, such as "01", "４" or a million digits."""
    return int(text) if _NUMBER.fullmatch(text) else None


def check_texts(message: Message, size: int) -> None:
    """Refuse a request with a text that is too long, or with too many of them, in any of its fields.

    Args:
        message: The request.
        size: Its bytes as they were sent: a request without room for a long text is not searched for one.

    Raises:
        RequestError: There is one; the error names the field.
    """
    if size > LONGEST_TEXT:
        _check(message, _texts_of(message.DESCRIPTOR), "")


class _Texts(NamedTuple):
    """Where the texts of a kind of message are.

    Attributes:
        fields: The names of text fields, and the most characters of each.
        messages: The names of fields with a message that contains texts, and where they are in it.
        lists: The same for lists of such messages; None in place of these for a list of texts.
        maps: The same for maps from texts; None if their values contain no text.
    """

    fields: tuple[tuple[str, int], ...] = ()
    messages: tuple[tuple[str, "_Texts"], ...] = ()
    lists: tuple[tuple[str, "_Texts | None"], ...] = ()
    maps: tuple[tuple[str, "_Texts | None"], ...] = ()


@lru_cache(maxsize=256)
def _texts_of(kind: Descriptor) -> _Texts:
    fields, messages, lists, maps = [], [], [], []
    for field in kind.fields:
        nested = _texts_of(field.message_type) if field.message_type else None
        if field.message_type and field.message_type.GetOptions().map_entry:
            values = field.message_type.fields_by_name["value"].message_type
            maps.append((field.name, _texts_of(values) if values else None))
        elif (nested is None and field.type != FieldDescriptor.TYPE_STRING) or nested == _Texts():
            continue
        elif field.is_repeated:
            lists.append((field.name, nested))
        elif nested:
            messages.append((field.name, nested))
        else:
            fields.append((field.name, _LIMITS.get(field.full_name, LONGEST_TEXT)))
    return _Texts(tuple(fields), tuple(messages), tuple(lists), tuple(maps))


def _check(message: Any, texts: _Texts, place: str) -> None:
    for name, most in texts.fields:
        _check_text(getattr(message, name), most, place, name)
    for name, within in texts.messages:
        if message.HasField(name):
            _check(getattr(message, name), within, f"{place}{name}.")
    for name, each in texts.lists:
        for entry in _few(getattr(message, name), place, name):
            if each is None:
                _check_text(entry, LONGEST_TEXT, place, name)
            else:
                _check(entry, each, f"{place}{name}[…].")
    for name, values in texts.maps:
        for key, value in _few(getattr(message, name), place, name).items():
            _check_text(key, LONGEST_TEXT, place, f"a key in {name}")
            if values:
                _check(value, values, f"{place}{name}[{quoted(key)}].")


def _few(entries: Any, place: str, name: str) -> Any:
    if len(entries) > MOST_ENTRIES:
        raise RequestError(f"{place}{name}: {len(entries):,} entries, expected at most {MOST_ENTRIES}")
    return entries


def _check_text(text: str, most: int, place: str, name: str) -> None:
    if len(text) > most:
        raise RequestError(f"{place}{name}: {len(text):,} characters, expected at most {most:,}")
