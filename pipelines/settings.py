"""Settings: what the environment sets for every command."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder, which holds `recipes/` and `data/mnist/`."""


class Settings(BaseSettings):
    """Read from `NUMERAL_…` variables; a flag on the command line takes precedence."""

    model_config = SettingsConfigDict(env_prefix="NUMERAL_", env_ignore_empty=True, frozen=True)

    repository: str = Field("./models", description="Where versions are published: a folder or a URL.")
    data_dir: Path = Field(Path("data/cache"), description="Where downloads and unfinished runs are kept.")
    feedback: Annotated[Path | None, BeforeValidator(lambda v: None if v == "off" else v)] = Field(
        None, description="Folder with the feedback that the service collected; off: learn from none."
    )
    mirrors: tuple[str, ...] = Field((), description="Mirrors to ask first, as a JSON list of URLs.")
    webhook_url: str = Field("", description="Where notices about published, promoted and rejected versions are sent.")
    webhook_secret: str = Field("", repr=False, description="What notices are signed with: whsec_ and Base64.")
    webhook_secret_file: Path | None = Field(None, description="A file that holds it.")
