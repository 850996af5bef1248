"""`Family`: a question about training, the variants that answer it, and the words around them; a TOML file each."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ConfigError
from pipelines.report.escape import toml
from pipelines.study.variant import Variant, check_shared, layers_of

__all__ = ["Family", "Reading", "names"]

_FOLDER = Path(__file__).parent / "families"


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reading(_Table):
    """A paper, or a chapter, that says more."""

    text: str
    url: str


class Member(_Table):
    """One variant: values of its own, and layers as a block that is repeated between a stem and ten outputs."""

    name: Annotated[str, Field(min_length=1, max_length=20)]  # it stands at the end of a line in a chart
    note: str = ""
    set: dict[str, Any] = {}
    stem: tuple[dict[str, Any], ...] = ()
    block: tuple[dict[str, Any], ...] = ()
    repeat: int = Field(1, ge=1)


class Family(_Table):
    """A question and its variants.

    Attributes:
        title: Of the page.
        question: What the study asks, in a sentence.
        look_for: What a reader should compare, one hint each.
        why: What is to be seen and why, one paragraph each: true whatever the numbers.
        reading: Where it comes from.
        recipe: What all variants begin with.
        images: How many images each variant is trained on, unless the command line says otherwise.
        set: Values that all variants share, by dotted key.
        members: The variants.
    """

    title: str
    question: str
    look_for: tuple[str, ...]
    why: tuple[str, ...]
    reading: tuple[Reading, ...]
    recipe: str = "mlp"
    images: int = Field(10_000, ge=1)
    set: dict[str, Any] = {}
    members: tuple[Member, ...]

    @classmethod
    def load(cls, name: str) -> Self:
        """The family of this name.

        Raises:
            ConfigError: There is none.
        """
        if name not in names():
            raise ConfigError(f"no study {name!r}; known: {', '.join(names())}; or --vary KEY=A,B,C")
        path = _FOLDER / f"{name}.toml"
        try:
            return cls.model_validate(tomllib.loads(path.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise ConfigError(f"{path}: {error}") from error

    def variants(self, overrides: tuple[str, ...] = ()) -> tuple[Variant, ...]:
        """The variants, each with the shared values first, then the given overrides, then its own values.

        Raises:
            ConfigError: An override is of a key that a variant has a value of its own for, which would win.
        """
        own = {key for member in self.members for key in (*member.set, *(["model.layers"] if member.block else []))}
        check_shared(overrides, own)
        shared = _overrides(self.set)
        return tuple(
            Variant(
                name=member.name,
                recipe=self.recipe,
                overrides=(*shared, *overrides, *_layers(member), *_overrides(member.set)),
                note=member.note,
            )
            for member in self.members
        )


def names() -> tuple[str, ...]:
    """The families that there are."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def _layers(member: Member) -> tuple[str, ...]:
    return (layers_of(member.stem, member.block, member.repeat),) if member.block else ()


def _overrides(values: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"{key}={toml(value)}" for key, value in values.items())
