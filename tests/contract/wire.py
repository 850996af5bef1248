"""What is fixed on the wire by a .proto file, as plain values that can be compared."""

from collections.abc import Iterator
from typing import Any


def fields(*files: Any) -> dict[str, dict[str, tuple[int, int, bool, str]]]:
    """Of each message, each field's number, type, whether it is repeated, and the message or enum that it holds."""
    return {
        message.full_name: {
            field.name: (field.number, field.type, field.is_repeated, _held(field)) for field in message.fields
        }
        for file in files
        for message in _messages(file.message_types_by_name.values())
    }


def calls(file: Any) -> dict[str, tuple[str, str]]:
    """Of each call, the names of its two messages."""
    return {
        f"{service.full_name}/{method.name}": (method.input_type.full_name, method.output_type.full_name)
        for service in file.services_by_name.values()
        for method in service.methods
    }


def _messages(found: Any) -> Iterator[Any]:
    for message in found:
        yield message
        yield from _messages(message.nested_types)


def _held(field: Any) -> str:
    held = field.message_type or field.enum_type
    return held.full_name if held else ""
