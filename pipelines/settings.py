"""Settings: what the environment sets for every command."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder, which holds `recipes/` and `data/mnist/`."""


def _folders(value: Any) -> Any:
    """A JSON list as it is, and anything else as the path of one folder."""
    return json.loads(value) if isinstance(value, str) and value.lstrip().startswith("[") else value and [value]


class Settings(BaseSettings):
    """Read from `NUMERAL_…` variables; a flag on the command line takes precedence."""

    model_config = SettingsConfigDict(env_prefix="NUMERAL_", env_ignore_empty=True, frozen=True)

    repository: str = Field("./models", description="Where versions are published: a folder or a URL.")
    data_dir: Path = Field(Path("data/cache"), description="Where downloads and unfinished runs are kept.")
    feedback: Annotated[Path | None, BeforeValidator(lambda v: None if v == "off" else v)] = Field(
        None, description="Folder with the feedback that the service collected; off: learn from none."
    )
    mirrors: tuple[str, ...] = Field((), description="Mirrors to ask first, as a JSON list of URLs.")
    extra: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_folders)] = Field(
        (), description="Folders of labeled pictures to train on as well: one path, or a JSON list of paths."
    )
