"""Settings: what the environment sets for every command."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.artifact.location import Location
from core.errors import ConfigError
from core.shipped import shipped_repository
from pipelines.canary.address import metrics_address

ENV_PREFIX = "NUMERAL_"

OFF = "off"
"""The value that turns off a setting that has a default."""

_LONGEST_QUOTE = 80
_ADDRESSES = "expected addresses separated by blanks or commas, or a JSON list of them"


def _listed(value: Any) -> Any:
    """Several addresses in one variable, separated by blanks or commas; or as JSON, if an address has one of these."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith(("[", "{", '"')):
        return tuple(address for address in re.split(r"[\s,]+", value) if address)
    return _json_list(value, _ADDRESSES)


def _json_list(text: str, expected: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{expected} ({error})") from error
    if not isinstance(found, list) or not all(isinstance(item, str) and item.strip() for item in found):
        raise ValueError(expected)
    return tuple(found)


def _named(repository: str) -> str:
    """Read once, so that the error names the variable; a relative path is read again by whoever opens it."""
    try:
        Location.parse(repository)
    except ConfigError as error:
        raise ConfigError(f"{ENV_PREFIX}REPOSITORY: {error}") from error
    return repository


def _page(url: str) -> str:
    """The address of the page, without the slash at its end."""
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or "@" in url or "?" in url or "#" in url):
        raise ValueError("expected the address of the page, such as https://digits.example, and no password or query")
    return url.rstrip("/")


def _metrics_of(services: tuple[str, ...]) -> tuple[str, ...]:
    """Read here, so that the error names the variable."""
    return tuple(metrics_address(service, place=f"{ENV_PREFIX}CANARY_SERVICES") for service in services)


def _user_cache() -> Path | None:
    """The user's folder for what can be made again; None for a user without a home.

    By the XDG Base Directory Specification 0.8.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        if not folder.is_absolute():  # the specification asks that a relative path be ignored
            folder = Path.home() / ".cache"
    except RuntimeError:
        return None
    return folder / "numeral"


InfraGate = Literal["auto", "require", "off"]
"""Whether a service tries a version before it is promoted; see `pipelines.promotion.infra`."""


def _folders(value: Any) -> Any:
    """One path, which may hold blanks and commas, or a JSON list of paths."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return _json_list(value, "expected the path of a folder, or a JSON list of paths")
    return (value,)


class Settings(BaseSettings):
    """Read from `NUMERAL_…` variables; a flag on the command line takes precedence, and a blank variable is none."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True)

    repository: Annotated[str, AfterValidator(_named)] = Field(
        "./models", description="Where versions are published: a folder or a URL."
    )
    data_dir: Path = Field(Path("data/cache"), description="Where downloads and unfinished runs are kept.")
    cache_dir: Annotated[Path | None, BeforeValidator(lambda v: None if v == OFF else v)] = Field(
        default_factory=_user_cache,
        description="Where it is remembered which manifests were found intact, so that lists are quick; off: nowhere.",
    )
    feedback: Annotated[Path | None, BeforeValidator(lambda v: None if v == OFF else v)] = Field(
        None, description="Folder with the feedback that the service collected; off: learn from none."
    )
    mirrors: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (), description="Mirrors to ask first, separated by blanks or commas, or as a JSON list."
    )
    keep_days: int = Field(
        14, ge=1, le=3650, description="Days that unfinished runs, partial downloads and damaged files are kept."
    )
    lease_seconds: float = Field(
        120, gt=0, le=86_400, description="How long a lease of the repository lasts that its holder no longer renews."
    )
    trigger_seconds: float = Field(
        60, gt=0, le=86_400, description="How often a scheduler looks whether new feedback is a reason to retrain."
    )
    handwriting: Path | None = Field(
        None, description="Folder with labeled pictures that nobody trains on, to compare versions on."
    )
    extra: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_folders)] = Field(
        (), description="Folders of labeled pictures to train on as well: one path, or a JSON list of paths."
    )
    pretrained: Annotated[str | None, BeforeValidator(lambda v: None if v == OFF else v)] = Field(
        default_factory=shipped_repository,
        description="The repository whose champion judges new data; off: a small network is trained for it.",
    )
    infra_gate: InfraGate = Field(
        "auto",
        description="Whether a real service tries a version before its promotion: auto, if one can be started here; "
        "require; or off.",
    )
    canary_services: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_metrics_of)] = (
        Field(
            (), description="Where services show their metrics; with any, a version is a canary before it is champion."
        )
    )
    metrics_port: int | None = Field(
        None, ge=1, le=65_535, description="Where a scheduler answers Prometheus, at /metrics."
    )
    metrics_host: str = Field("127.0.0.1", description="The address on which that port is opened.")
    page_url: Annotated[str, AfterValidator(_page)] = Field(
        "", description="Where people open the page of `python -m service web`; reports and notices link to it."
    )
    webhook_url: str = Field("", description="Where notices about published, promoted and rejected versions are sent.")
    webhook_secret: str = Field("", repr=False, description="What notices are signed with: whsec_ and Base64.")
    webhook_secret_file: Path | None = Field(None, description="A file that holds it.")

    def __init__(self) -> None:
        """Read the environment.

        Raises:
            ConfigError: A variable has an impossible value.
        """
        try:
            super().__init__()
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name, found = f"{ENV_PREFIX}{str(first['loc'][0]).upper()}", str(first["input"])
            shown = found if len(found) <= _LONGEST_QUOTE else f"{found[:_LONGEST_QUOTE]}…"
            reason = first["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
            raise ConfigError(f"{name}: found {shown!r}, {reason.partition(', unable')[0]}") from error

    @model_validator(mode="before")
    @classmethod
    def _given(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out what is blank: compose files and scripts pass on variables that are not set as empty ones."""
        return {name: value for name, value in values.items() if not isinstance(value, str) or value.strip()}
