"""How long the texts of a request may be, whichever its fields are.

The service would hold a text of megabytes for as long as the call lasts, and a stream sends it back as the id of an
answer. Fields that are added to the protocols later are checked too, because they are found in the descriptors.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from service.errors import RequestError
from service.texts import quoted

__all__ = ["LONGEST_TEXT", "MOST_ENTRIES", "check_texts"]

LONGEST_TEXT = 1024
"""Characters of any text in a request: a name, an id, a parameter …"""

LONGEST_CONFIG = 64 * 1024
"""… except the configuration in a request to load a model, which existing clients send whole."""

MOST_ENTRIES = 64
"""Entries of any list or map that contains texts: inputs, outputs, parameters."""

_LIMITS = {"inference.ModelRepositoryParameter.string_param": LONGEST_CONFIG}


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
