"""`Question`: what a study asks: its variants, and the words around them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from core.errors import ConfigError
from pipelines.study.family import Family, Reading, names
from pipelines.study.grid import Axis, grid
from pipelines.study.variant import Variant

__all__ = ["Question"]

_IMAGES = 5_000
"""Of each variant where nobody said how many: enough to tell variants apart, within seconds."""

_RECIPE = "mlp"


@dataclass(frozen=True)
class Question:
    """What to compare.

    Attributes:
        name: Of the page's file.
        title: Of the page.
        question: In a sentence.
        variants: At least two.
        images: How many images each is trained on.
        look_for: What a reader should compare, one hint each.
        why: What is to be seen and why, one paragraph each; empty if nobody has written about it.
        reading: Where that comes from.
    """

    name: str
    title: str
    question: str
    variants: tuple[Variant, ...]
    images: int
    look_for: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    reading: tuple[Reading, ...] = ()

    @classmethod
    def asked(
        cls,
        family: str | None,
        vary: Sequence[str],
        recipe: str | None,
        overrides: Sequence[str],
        images: int | None,
    ) -> Self:
        """What the command line asks: a family by its name, or the values of some keys.

        Raises:
            ConfigError: Both or neither, an unknown name or key, or an impossible value.
        """
        if family and (vary or recipe):
            extra = "--vary" if vary else "--recipe"
            raise ConfigError(f"study {family}: it has variants of its own; leave out {extra}, or the name")
        if family:
            found = Family.load(family)
            return cls(
                name=family,
                title=found.title,
                question=found.question,
                variants=_checked(found.variants(tuple(overrides))),
                images=images or found.images,
                look_for=found.look_for,
                why=found.why,
                reading=found.reading,
            )
        if not vary:
            raise ConfigError(
                f"study: nothing to compare; name a study, one of {', '.join(names())}, or vary a key of a recipe, "
                "e.g. --vary train.learning_rate=0.01,0.1,1"
            )
        axes = [Axis.parse(text) for text in vary]
        varied = " and ".join(axis.key for axis in axes)
        base = recipe or _RECIPE
        return cls(
            name="-".join([Path(base).stem, *(axis.key for axis in axes)]),
            title=f"{varied}, varied",
            question=f"What do {varied} change in recipe {Path(base).stem}?"
            if len(axes) > 1
            else f"What does {varied} change in recipe {Path(base).stem}?",
            variants=_checked(grid(base, axes, overrides)),
            images=images or _IMAGES,
            look_for=("Compare variants that differ in one value alone.",) if len(axes) > 1 else (),
        )

    @property
    def epochs(self) -> tuple[int, int]:
        """The fewest and the most epochs that a variant is trained for."""
        epochs = [variant.resolved().train.epochs for variant in self.variants]
        return min(epochs), max(epochs)


def _checked(variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """The same, once every one has been seen to make a recipe: before anything is downloaded or trained."""
    for variant in variants:
        if variant.resolved().train.teacher:
            raise ConfigError(
                f"study: {variant.name} has a teacher (train.teacher), which is a published version, and a study looks "
                "into no repository; leave it out, or sweep train.teacher.weight"
            )
    return variants
