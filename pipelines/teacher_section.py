"""`[train.teacher]` in a recipe: which published version teaches, and how much its answers count."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.errors import ConfigError


class TeacherSection(BaseModel):
    """A published version whose answers are learned beside the labels; see `core.nn.distillation`.

    It is looked up by exactly one of `recipe`, `alias` and `version`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str = ""  # the newest sound version that the recipe of this name has made
    alias: str = ""  # the version that the alias names, e.g. champion
    version: int = Field(0, ge=0, le=999_999_999)  # the version with this number
    repository: str = ""  # where it is published, a folder or URL; by default where the new version will be
    weight: float = Field(0.5, ge=0, le=1)  # of its answers; the labels have the rest
    temperature: float = Field(1.0, gt=0, allow_inf_nan=False)  # by which the logits of both are divided

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        given = [key for key in ("recipe", "alias", "version") if getattr(self, key)]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise ConfigError(f"train.teacher: found {found}, expected exactly one of recipe, alias and version")
        return self

    @property
    def name(self) -> str:
        """What it is named by, in words."""
        found = f"version {self.version}" if self.version else f"the {self.alias or f'newest version of {self.recipe}'}"
        return f"{found} in {self.repository}" if self.repository else found
