"""What the values of settings may be: no number that its user cannot take, and no text that is not one line."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from core.local_path import local_path

__all__ = ["DAY", "GIGABYTE", "Folder", "Host", "Line", "LogLevel", "Port", "Seconds"]

DAY = 86_400
"""Seconds."""

GIGABYTE = 1024**3
"""Bytes. gRPC and operating systems take fewer than two in a signed number of 32 bits."""

Seconds = Annotated[float, Field(ge=0, le=DAY, allow_inf_nan=False)]
"""A wait. What is longer than a day is a slip: timers would take it, and never end."""

LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
]
"""The lowest level of the messages that are logged."""

Port = Annotated[int, Field(ge=0, le=65535)]
"""A port; 0 for any free one."""


def _one_line(text: str) -> str:
    if not text or len(text) > 4096:
        raise ValueError(f"{len(text):,} characters, expected 1 to 4,096")
    if any(character < " " or character == "\x7f" for character in text):
        raise ValueError("it has a line break or another control character")
    return text


Line = Annotated[str, AfterValidator(_one_line)]
"""The name of a file, a folder or something else: one line."""


def _folder(text: str, info: ValidationInfo) -> str:
    local_path(Path(text), f"--{(info.field_name or '').replace('_', '-')}")
    return text


Folder = Annotated[Line, AfterValidator(_folder)]
"""A folder of this machine. A URL is refused: it would become a folder that nobody looks for."""


def _host(text: str) -> str:
    if any(character.isspace() or character in "/@?#" for character in text):
        raise ValueError("expected a name or an address, such as 127.0.0.1, without a port")
    return text


Host = Annotated[Line, AfterValidator(_host), Field(max_length=253)]
"""A name or an address of this machine."""
