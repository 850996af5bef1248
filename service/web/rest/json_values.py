"""The values in a JSON document, each with the sentence that says what is wrong with it."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from service.texts import quoted
from service.web.rest.http_error import HttpError

__all__ = [
    "entries_in",
    "in_words",
    "is_size",
    "mapping_in",
    "object_in",
    "put_parameters",
    "text_of",
    "truth_of",
    "wrong",
]

MOST_ENTRIES = 64
"""Inputs, outputs or parameters, as the service has it."""


def object_in(body: bytes | memoryview) -> dict[str, Any]:
    """The JSON object that a body is.

    Raises:
        HttpError: It is something else.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise wrong(f"the body is not valid JSON: {quoted(str(error))}") from None
    if type(document) is not dict:
        raise wrong("the body is JSON, but no object; expected {…}")
    return document


def put_parameters(parameters: Any, values: Mapping[str, Any]) -> None:
    """Fill the parameters of a message, each with the type that it has in JSON; null stands for no parameter.

    Raises:
        HttpError: There are too many, or one is a list or an object, or a number that this message cannot hold.
    """
    if len(values) > MOST_ENTRIES:
        raise wrong(f"parameters: {len(values):,} entries, expected at most {MOST_ENTRIES}")
    for name, value in values.items():
        if value is None:
            continue
        field = _FIELDS.get(type(value))
        if field is None:
            raise wrong(f"parameter {quoted(name)} is {in_words(value)}, expected true, false, a number or a text")
        if field == "int64_param" and value >= 1 << 63:
            field = "uint64_param"
        try:
            setattr(parameters[name], field, value)
        except AttributeError:  # the parameters of a load or an unload are no fractions, for one
            found = f"parameter {quoted(name)} is {value}"
            raise wrong(f"{found}, expected true, false, a whole number or a text") from None


_FIELDS = {str: "string_param", bool: "bool_param", int: "int64_param", float: "double_param"}
"""The field of a parameter for each type of JSON."""


def entries_in(document: Mapping[str, Any], name: str) -> Sequence[dict[str, Any]]:
    """The objects in a list; none if there is no list, or null in its place."""
    found = document.get(name)
    if found is None:
        return ()
    if type(found) is not list or not all(type(each) is dict for each in found):
        raise wrong(f"{name} must be a list of objects")
    if len(found) > MOST_ENTRIES:
        raise wrong(f"{name}: {len(found):,} entries, expected at most {MOST_ENTRIES}")
    return found


def mapping_in(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object; an empty one if there is none, or null in its place."""
    found = document.get(name)
    if found is None:
        return {}
    if type(found) is not dict:
        raise wrong(f"{name} is {in_words(found)}, expected an object")
    return found


def text_of(value: object, what: str) -> str:
    """A value that must be a text."""
    if type(value) is not str:
        raise wrong(f"{what} is {in_words(value)}, expected a text")
    return value


def truth_of(value: object, name: str) -> bool:
    """The value of a parameter that must be true or false; false if there is none."""
    if type(value) not in (bool, type(None)):
        raise wrong(f"parameter {name!r} is {in_words(value)}, expected true or false")
    return bool(value)


def is_size(value: object) -> bool:
    """Whether a value is a whole number that can be a size."""
    return type(value) is int and 0 <= value < 1 << 63


def in_words(value: object) -> str:
    """What a value is, without itself."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "missing"}
    return names.get(type(value), "a number")


def wrong(sentence: str) -> HttpError:
    """What to raise about a malformed request."""
    return HttpError(400, sentence)
