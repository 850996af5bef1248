"""Settings: what the environment sets for every command."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder, which holds `recipes/` and `data/mnist/`."""


InfraGate = Literal["auto", "require", "off"]
"""Whether a service tries a version before it is promoted; see `pipelines.promotion.infra`."""


class Settings(BaseSettings):
    """Read from `NUMERAL_…` variables; a flag on the command line takes precedence."""

    model_config = SettingsConfigDict(env_prefix="NUMERAL_", env_ignore_empty=True, frozen=True)

    repository: str = Field("./models", description="Where versions are published: a folder or a URL.")
    data_dir: Path = Field(Path("data/cache"), description="Where downloads and unfinished runs are kept.")
    feedback: Annotated[Path | None, BeforeValidator(lambda v: None if v == "off" else v)] = Field(
        None, description="Folder with the feedback that the service collected; off: learn from none."
    )
    mirrors: tuple[str, ...] = Field((), description="Mirrors to ask first, as a JSON list of URLs.")
    infra_gate: InfraGate = Field(
        "auto",
        description="Whether a real service tries a version before its promotion: auto, if one can be started here; "
        "require; or off.",
    )
