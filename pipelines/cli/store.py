"""The repository that a command reads or changes, and its option."""

from typing import Annotated

from core.artifact.repository import Repository
from pipelines.order import option
from pipelines.settings import Settings

__all__ = ["RepositoryOption", "opened"]

RepositoryOption = Annotated[str | None, option("repository")]


def opened(repository: str | None) -> Repository:
    """The repository that is given, or the one of the settings."""
    return Repository(Settings().repository if repository is None else repository)
