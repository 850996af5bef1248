"""Settings from flags, the environment and defaults, and the error of a value that is impossible."""

from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from core.errors import ConfigError
from service.texts import quoted

__all__ = ["named", "read_as", "variable"]

S = TypeVar("S", bound=BaseSettings)


def read_as(kind: type[S], **flags: Any) -> S:
    """The settings of a kind: a flag beats the environment, the environment beats the default.

    Args:
        kind: Their class.
        **flags: Values by field name; None for a flag that was not given.

    Raises:
        ConfigError: A value is impossible.
    """
    try:
        return kind(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # A setting with several variables is called by the first of them.
        name, found = str(first["loc"][0]).removeprefix(str(kind.model_config["env_prefix"])).lower(), first["input"]
        shown = quoted(found) if isinstance(found, str) else f"{found!r:.40}"
        reason = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{named(kind, name)}: found {shown}; {reason}") from error


def named(kind: type[BaseSettings], field: str) -> str:
    """Where the value of a setting may have come from."""
    return f"{variable(kind, field)} or --{field.replace('_', '-')}"


def variable(kind: type[BaseSettings], field: str) -> str:
    """The environment variable of a setting."""
    return f"{kind.model_config['env_prefix']}{field.upper()}"
