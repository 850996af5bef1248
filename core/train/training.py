"""A training's state, from its beginning on: everything that changes while a network is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.data.batches import Batches
from core.data.labeled import Labeled
from core.data.normalize import Normalizer
from core.errors import TrainingError
from core.nn.architectures import build
from core.nn.losses import OpenSetCrossEntropy
from core.nn.sequential import Sequential
from core.optim.average import ExponentialAverage
from core.optim.optimizers import Optimizer
from core.train.diagnostics import LayerDiagnostics, StepDiagnostics
from core.train.report import EpochReport
from core.train.stopping import BestWeights, gave_up
from core.train.training_plan import TrainingPlan

_VALIDATION_BATCH = 500
"""Images that are validated at a time."""


@dataclass
class Training:
    """All that changes while a network is trained. Whatever else `fit` is given must be the same when it is resumed.

    Attributes:
        network: Its parameters, buffers and sources of random numbers.
        optimizer: The update rule, with its state.
        generators: Every source of random numbers outside the network, by name, e.g. of the order of the images.
        average: The running average of the weights, where one is taken.
        best: The best weights so far, where they are kept.
        reports: Of the epochs that are done; `fit` appends to them.
    """

    network: Sequential
    optimizer: Optimizer
    generators: Mapping[str, np.random.Generator] = field(default_factory=dict)
    average: ExponentialAverage | None = None
    best: BestWeights | None = None
    reports: list[EpochReport] = field(default_factory=list)

    @classmethod
    def begin(cls, plan: TrainingPlan, input_shape: Sequence[int], layers: Sequence[Mapping[str, Any]]) -> Self:
        """A training at its beginning: random weights, and no epoch done.

        One generator, seeded by the plan, draws the initial weights first and the order of the images afterwards.

        Raises:
            ArchitectureError: The layers do not make a network.
        """
        rng = np.random.default_rng(plan.seed)
        return cls(
            network=build(input_shape, layers, rng=rng),
            optimizer=plan.optimizer(),
            generators={"order": rng},
            average=ExponentialAverage(plan.ema_decay) if plan.ema_decay else None,
            best=BestWeights() if plan.keep_best else None,
        )

    @property
    def validation_losses(self) -> list[float]:
        """The validation loss after each epoch that is done, the first epoch's first."""
        return [report.validation_loss for report in self.reports]

    def ended(self, plan: TrainingPlan) -> bool:
        """Whether no further epoch follows: all are done, or the validation loss has not fallen for too long."""
        return len(self.reports) >= plan.epochs or gave_up(self.validation_losses, plan.patience) is not None

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Arrays by full name, and everything else as plain values, fit for JSON. Call it between epochs only."""
        arrays = {
            f"{part}/{name}": array for part, kept in self._parts().items() for name, array in kept.state().items()
        }
        plain = {
            "reports": [asdict(report) for report in self.reports],
            "network_random": self.network.random_state(),
            "generators": {name: generator.bit_generator.state for name, generator in self.generators.items()},
        }
        return arrays, plain

    def load_state(self, arrays: Mapping[str, NDArray[Any]], plain: Mapping[str, Any]) -> None:
        """Resume from a `state()`.

        Raises:
            NumeralError: The state is that of another training. This one may have been changed in part, so begin anew.
        """
        parts = self._parts()
        if surplus := sorted({name.partition("/")[0] for name in arrays} - parts.keys()):
            raise TrainingError(f"it holds {', '.join(surplus)}, which this training has not")
        for part, kept in parts.items():
            kept.load_state({n.partition("/")[2]: array for n, array in arrays.items() if n.startswith(f"{part}/")})
        self.network.load_random_state(plain["network_random"])
        if plain["generators"].keys() != self.generators.keys():
            found, expected = (", ".join(sorted(names)) or "none" for names in (plain["generators"], self.generators))
            raise TrainingError(f"it holds the generators {found}, this training has {expected}")
        for name, generator in self.generators.items():
            generator.bit_generator.state = plain["generators"][name]
        self.reports[:] = [_report(fields) for fields in plain["reports"]]

    def _parts(self) -> dict[str, Any]:
        """Every part that has a state of arrays."""
        parts = {"network": self.network, "optimizer": self.optimizer, "average": self.average, "best": self.best}
        return {name: part for name, part in parts.items() if part is not None}


def batches(
    training: Training, plan: TrainingPlan, normalizer: Normalizer, train: Labeled, validation: Labeled
) -> tuple[Batches, Batches]:
    """The batches to train on and those to validate with: images augmented where the plan says so, then normalized.

    Args:
        training: Gives the network's input shape, and the generator of the order.
        plan: Batch size, augmentation and workers.
        normalizer: Fitted on the training images.
        train: Shuffled at each pass.
        validation: In the given order.

    Raises:
        DatasetError: Nothing to train on or to validate with, or a label that the loss does not know: 10,
            `core.digit.NO_DIGIT`, is one to train on if the loss is `OpenSetCrossEntropy`.
    """
    shape, order = training.network.input_shape, training.generators["order"]
    (digits,) = training.network.output_shape
    known = digits + isinstance(plan.loss(), OpenSetCrossEntropy)

    def normalized(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return normalizer.apply(images).reshape(-1, *shape)

    held_out = Batches(normalized(validation.images), validation.labels, batch_size=_VALIDATION_BATCH, classes=digits)
    if plan.augment is None:  # nothing is random but the order, so all images are normalized once and for all
        x = normalized(train.images)
        return Batches(x, train.labels, batch_size=plan.batch_size, rng=order, classes=known), held_out
    augment = plan.augment

    def prepare(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
        augmented = augment(images, rng)
        return normalizer.apply(augmented, out=augmented).reshape(-1, *shape)

    augmented = Batches(
        train.images,
        train.labels,
        batch_size=plan.batch_size,
        rng=order,
        prepare=prepare,
        workers=plan.workers,
        classes=known,
    )
    return augmented, held_out


def _report(fields: Mapping[str, Any]) -> EpochReport:
    diagnostics = tuple(
        StepDiagnostics(step["step"], tuple(LayerDiagnostics(**layer) for layer in step["layers"]))
        for step in fields["diagnostics"]
    )
    return EpochReport(**{**fields, "diagnostics": diagnostics})
