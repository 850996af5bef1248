"""What the manifest of a version says, as its page shows it."""

from dataclasses import dataclass
from datetime import datetime

from service.web.administration.loose import Loose, parsed

__all__ = ["Check", "Digit", "Layer", "ManifestView", "Measured", "manifest_view"]

MOST_ROWS = 200
"""Rows of a table. The longest of a version that Numeral has trained has a hundred."""


@dataclass(frozen=True)
class Measured:
    """What was measured on some images; None where it is not known.

    Attributes:
        count: How many images.
        accuracy: The share that was read correctly, and its 95% interval.
        interval: The interval.
        loss: In nats.
        calibration_error: The average difference between confidence and accuracy.
    """

    count: int | None
    accuracy: float | None
    interval: tuple[float, float] | None
    loss: float | None
    calibration_error: float | None


@dataclass(frozen=True)
class Digit:
    """How well one digit is read: the shares of its test and of its validation images."""

    label: str
    test: float | None
    interval: tuple[float, float] | None
    validation: float | None


@dataclass(frozen=True)
class Check:
    """One check of the gate; `passed` is None if it was not decided."""

    name: str
    passed: bool | None
    words: str


@dataclass(frozen=True)
class Layer:
    """One layer of the network: its kind, and what the recipe sets for it."""

    kind: str
    options: str


@dataclass(frozen=True)
class ManifestView:
    """What a manifest says; texts are "" and numbers None where it does not."""

    created: datetime | None
    recipe: str
    description: str
    parameters: int | None
    input_shape: str
    layers: list[Layer]
    promote: bool | None
    reason: str
    parent: int | None
    checks: list[Check]
    test: Measured
    validation: Measured
    digits: list[Digit]
    data: list[tuple[str, int | None]]
    license: str
    split_seed: str
    data_files: list[tuple[str, str]]
    settings: list[tuple[str, str]]
    environment: list[tuple[str, str]]
    commit: str
    dirty: bool | None
    temperature: float | None
    threshold: float | None
    robustness: list[tuple[str, Measured]]
    files: list[tuple[str, int | None, str]]


def manifest_view(data: bytes) -> ManifestView:
    """Read a manifest.

    Raises:
        DamagedDocumentError: It is no JSON.
    """
    m = parsed(data)
    verdict = m.at("verdict")
    return ManifestView(
        created=m.at("created").moment(),
        recipe=m.at("recipe_name").text(),
        description=m.at("recipe", "description").text(),
        parameters=m.at("architecture", "parameter_count").count(),
        input_shape=" × ".join(side.written() for side in m.at("architecture", "input_shape").items(3)),
        layers=[_layer(layer) for layer in m.at("architecture", "layers").items(MOST_ROWS)],
        promote=verdict.at("promote").truth(),
        reason=verdict.at("reason").text(),
        parent=verdict.at("parent").count(),
        checks=[
            Check(one.at("name").text(), one.at("passed").truth(), one.at("words").text())
            for one in verdict.at("checks").items(MOST_ROWS)
        ],
        test=_measured(m.at("test")),
        validation=_measured(m.at("validation")),
        digits=_digits(m),
        data=[(name, m.at("data", f"{name}_images").count()) for name in ("train", "validation", "test")],
        license=m.at("data", "license").text(),
        split_seed=m.at("data", "split_seed").written(),
        data_files=[(name, digest.text()) for name, digest in m.at("data", "files").fields(MOST_ROWS)],
        settings=m.at("recipe").leaves(MOST_ROWS),
        environment=[(name, m.at("environment", name).written()) for name in _ENVIRONMENT],
        commit=m.at("code", "commit").text(),
        dirty=m.at("code", "dirty").truth(),
        temperature=m.at("calibration", "temperature").number(),
        threshold=m.at("rejection", "threshold").share(),
        robustness=[
            (one.at("description").text() or name, _measured(one)) for name, one in m.at("robustness").fields(MOST_ROWS)
        ],
        files=[
            (name, one.at("size").count(), one.at("sha256").text()) for name, one in m.at("files").fields(MOST_ROWS)
        ],
    )


_ENVIRONMENT = ("python", "numpy", "blas", "cpu", "threads")


def _layer(layer: Loose) -> Layer:
    options = ", ".join(f"{name} {value}" for name, value in layer.leaves(20) if name != "kind")
    return Layer(layer.at("kind").text(), options)


def _measured(found: Loose) -> Measured:
    loss = found.at("loss").number()
    return Measured(
        count=found.at("count").count(),
        accuracy=found.at("accuracy").share(),
        interval=found.at("interval").interval(),
        loss=loss if loss is not None and loss >= 0 else None,
        calibration_error=found.at("calibration_error").share(),
    )


def _digits(m: Loose) -> list[Digit]:
    """One for each digit; none if the shares are not ten."""
    test = m.at("test", "per_class").items(11)
    intervals = m.at("test", "per_class_intervals").items(11)
    validation = m.at("validation", "per_class").items(11)
    if len(test) != 10:
        return []
    return [
        Digit(
            label=str(digit),
            test=share.share(),
            interval=intervals[digit].interval() if len(intervals) == 10 else None,
            validation=validation[digit].share() if len(validation) == 10 else None,
        )
        for digit, share in enumerate(test)
    ]
