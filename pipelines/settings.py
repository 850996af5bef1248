"""Settings: what the environment sets for every command."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder, which holds `recipes/` and `data/mnist/`."""


def shipped() -> str | None:
    """The repository that ships with Numeral, `pretrained/` beside the code; None where it does not exist."""
    folder = ROOT / "pretrained"
    return str(folder) if (folder / "mnist").is_dir() else None


class Settings(BaseSettings):
    """Read from `NUMERAL_…` variables; a flag on the command line takes precedence."""

    model_config = SettingsConfigDict(env_prefix="NUMERAL_", env_ignore_empty=True, frozen=True)

    repository: str = Field("./models", description="Where versions are published: a folder or a URL.")
    data_dir: Path = Field(Path("data/cache"), description="Where downloads and unfinished runs are kept.")
    feedback: Annotated[Path | None, BeforeValidator(lambda v: None if v == "off" else v)] = Field(
        None, description="Folder with the feedback that the service collected; off: learn from none."
    )
    mirrors: tuple[str, ...] = Field((), description="Mirrors to ask first, as a JSON list of URLs.")
    pretrained: Annotated[str | None, BeforeValidator(lambda v: None if v == "off" else v)] = Field(
        default_factory=shipped,
        description="The repository whose champion judges new data; off: a small network is trained for it.",
    )
