"""The flags of a command, made from its settings: every setting has a flag, a variable and a help text."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_args

import typer
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from service.from_environment import variable

__all__ = ["of_settings"]


def of_settings(command: Callable[..., None], kind: type[BaseSettings]) -> Callable[..., None]:
    """Give a command a flag for each setting.

    Args:
        command: Takes `**flags`; those that are not given on the command line are None. Its other parameters remain.
        kind: The class of the settings.

    Returns:
        The same command.
    """
    own = inspect.signature(command).parameters.values()
    parameters = [_parameter(kind, name, field) for name, field in kind.model_fields.items()]
    parameters += [parameter for parameter in own if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    return command


def _parameter(kind: type[BaseSettings], name: str, field: FieldInfo) -> inspect.Parameter:
    default = "" if field.default_factory or field.default in (None, "") else f", else {_shown(field.default)}"
    text = f"{(field.description or '').rstrip('.')} [{variable(kind, name)}{default}]."
    value = next((k for k in (bool, int, float) if k in (field.annotation, *get_args(field.annotation))), str)
    flag = f"--{name.replace('_', '-')}"
    option = typer.Option(f"{flag}/--no-{flag[2:]}" if value is bool else flag, help=text, show_default=False)
    annotation = Annotated[value | None, option]  # type: ignore[valid-type]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _shown(default: Any) -> str:
    return ("on" if default else "off") if isinstance(default, bool) else f"{default}"
