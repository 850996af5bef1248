"""The flags of `serve`, made from the settings: every setting has a flag, a variable and a help text."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_args

import typer
from pydantic.fields import FieldInfo

from service.settings import ENV_PREFIX, Settings

__all__ = ["of_settings"]


def of_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command a flag for each setting.

    Args:
        command: Takes `**flags`; those that are not given on the command line are None.

    Returns:
        The same command.
    """
    parameters = [_parameter(name, field) for name, field in Settings.model_fields.items()]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    return command


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    default = "" if field.default_factory or field.default in (None, "") else f", else {_shown(field.default)}"
    text = f"{(field.description or '').rstrip('.')} [{ENV_PREFIX}{name.upper()}{default}]."
    kind = next((k for k in (bool, int, float) if k in (field.annotation, *get_args(field.annotation))), str)
    flag = f"--{name.replace('_', '-')}"
    option = typer.Option(f"{flag}/--no-{flag[2:]}" if kind is bool else flag, help=text, show_default=False)
    annotation = Annotated[kind | None, option]  # type: ignore[valid-type]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _shown(default: Any) -> str:
    return ("on" if default else "off") if isinstance(default, bool) else f"{default}"
