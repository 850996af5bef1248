"""How a version was made: its layers, its settings, and the command that reproduces it."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.artifact.manifest import Architecture
from core.errors import ArchitectureError
from core.nn.architectures import build
from pipelines.report.escape import toml


@dataclass(frozen=True)
class LayerRow:
    """One layer of the network.

    Attributes:
        kind: As recipes call it, e.g. `dense`.
        options: The recipe's other entries, e.g. `units = 128`.
        output_shape: For one image; None if it cannot be derived.
        parameters: How many numbers the layer learns; None if it cannot be derived.
    """

    kind: str
    options: str
    output_shape: tuple[int, ...] | None
    parameters: int | None


def layers(architecture: Architecture) -> list[LayerRow]:
    """One row for each layer, with shapes and counts from the network that the specification builds."""
    try:
        network = build(architecture.input_shape, architecture.layers, rng=np.random.default_rng(0))
    except ArchitectureError:  # this code cannot build it; the specification is still worth showing
        return [LayerRow(*_words(entry), None, None) for entry in architecture.layers]
    return [
        LayerRow(*_words(entry), layer.output_shape, sum(p.value.size for p in layer.parameters.values()))
        for entry, layer in zip(architecture.layers, network.layers, strict=True)
    ]


def settings(recipe: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every hyper-parameter as its dotted key and its value in TOML, as `--set KEY=VALUE` takes them."""
    return list(_leaves(recipe, ""))


def retrain_command(name: str, recipe: Mapping[str, Any]) -> str:
    """The shell command that trains with exactly these settings, even if the recipe's file has changed since.

    Sections are set key by key, and tables inside them as a whole: merged with the file's own table, they could keep
    options of another kind.
    """
    overrides = [
        f"--set {shlex.quote(f'{section}.{key}={toml(value)}')}"
        for section, entries in recipe.items()
        if isinstance(entries, Mapping)
        for key, value in entries.items()
        if value is not None
    ]
    return " \\\n    ".join([f"python -m pipelines retrain --recipe {shlex.quote(name)}", *overrides])


def _words(entry: Mapping[str, Any]) -> tuple[str, str]:
    options = (f"{key} = {toml(value)}" for key, value in entry.items() if key != "kind")
    return str(entry.get("kind", "?")), ", ".join(options)


def _leaves(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        items = [(str(name), item) for name, item in value.items()]
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        items = [(str(index), item) for index, item in enumerate(value)]
    else:
        yield key, "not set" if value is None else toml(value)
        return
    for name, item in items:
        yield from _leaves(item, f"{key}.{name}" if key else name)
