"""`Variant`: one way to train, among those that a study compares."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from core.digit import LABELS
from core.errors import ConfigError
from pipelines.overrides import apply_override
from pipelines.recipe import Recipe, load_recipe
from pipelines.report.escape import toml
from pipelines.sections import DataSection

__all__ = ["Variant", "check_shared", "check_varied", "layers_of"]

_NORMALIZE = "data.normalize"
"""The one key of data that variants may differ in: it changes what the network sees of an image, not which images."""

_FIXED = ("data.", "promotion.", "description", "train.threads", "train.shards", "train.workers", "train.members")
"""What all variants share: the images that they are compared on, and what decides the speed alone."""


@dataclass(frozen=True)
class Variant:
    """A recipe and what is changed in it.

    Attributes:
        name: In a word or two, for charts and tables.
        recipe: A name in `recipes/`, or the path of a TOML file.
        overrides: `key=value` each, in order, as `retrain --set` takes them.
        note: What it is for, in a clause; may be empty.
    """

    name: str
    recipe: str
    overrides: tuple[str, ...]
    note: str = ""

    def __str__(self) -> str:
        return f"variant {self.name}"

    def resolved(self) -> Recipe:
        """How it is trained in a study: on MNIST's images alone, in one thread.

        Raises:
            ConfigError: The recipe cannot be read, is of an ensemble, or something is changed that variants share.
        """
        recipe = load_recipe(self.recipe, self.overrides)
        if len(recipe.members()) > 1:
            raise ConfigError(f"recipe {self.recipe}: an ensemble; a study compares single networks, e.g. --recipe mlp")
        train = recipe.train.model_copy(update={"threads": 1, "shards": 1, "workers": 0})
        data = DataSection(
            validation_images=recipe.data.validation_images,
            split_seed=recipe.data.split_seed,
            normalize=recipe.data.normalize,
        )
        return recipe.model_copy(update={"train": train, "data": data})


def check_varied(key: str) -> None:
    """Refuse a key whose values cannot be compared in a study.

    Raises:
        ConfigError: It belongs to what all variants share.
    """
    if key.startswith(_FIXED) and key != _NORMALIZE:
        raise ConfigError(
            f"--vary {key}: all variants of a study train and validate on the same images, each in one thread; vary a "
            "key of model or train, e.g. train.learning_rate"
        )


def check_shared(overrides: Sequence[str], varied: Iterable[str]) -> None:
    """Refuse a value for all variants where each has its own, which would win.

    Args:
        overrides: What all variants share, as `--set` takes it.
        varied: The keys of which variants have values of their own.

    Raises:
        ConfigError: An override is of such a key, or of a part of one; or it is no override.
    """
    for override, key in product(overrides, varied):
        place: Any = {}
        apply_override(place, override)
        for part in key.split("."):
            place = place.get(part) if isinstance(place, dict) else None
        if place is not None:
            raise ConfigError(
                f"--set {override}: {key} varies in this study; leave it out, or compare values of your own by "
                f"--vary {key}=A,B,C"
            )


def layers_of(stem: Sequence[Mapping[str, Any]], block: Sequence[Mapping[str, Any]], repeat: int) -> str:
    """The override for a network of a stem, a block that is repeated, and one output for each digit."""
    return f"model.layers={toml([*stem, *list(block) * repeat, {'kind': 'dense', 'units': len(LABELS)}])}"
