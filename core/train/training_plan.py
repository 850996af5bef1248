"""The plan of a training: all that a recipe says about how a network is trained, resolved into objects."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Self, TypeVar

from core.data.augment import Augmenter, augmenter
from core.nn.loss import Loss
from core.nn.losses import LOSSES, SoftmaxCrossEntropy
from core.optim.optimizers import OPTIMIZERS, SGD, Optimizer
from core.optim.schedules import Constant, Schedule, schedule_from
from core.registry import construct
from core.train.diagnostics import Every

S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """How one network is trained. The same plan, network structure, data and BLAS give bit-identical weights.

    Attributes:
        epochs: Passes over the training images.
        learning_rate: The base rate, which `schedule` multiplies.
        schedule: The factor of each step, from the whole number of planned steps, even where training stops early.
        optimizer: Makes the update rule.
        loss: Makes what is minimized; validation always measures the plain cross-entropy.
        seed: Of the initial weights, and of the order and the augmentation of the images.
        batch_size: Images in a batch.
        augment: Changes each batch of images at random before it is normalized; None shows the images as they are.
        workers: Threads that prepare augmented batches ahead of the training; any number gives the same batches.
        clip_norm: The longest gradient that the optimizer is given; 0 clips none.
        ema_decay: Decay of the running average of the weights; 0 takes none. With an average, it is the averaged
            weights that are measured after each epoch and left at the end.
        patience: Stop after so many epochs in a row without a lower validation loss; 0 never does.
        keep_best: Whether the weights of the epoch with the lowest validation loss are given back at the end.
        diagnose_every: Measure every layer at each so many steps; 0 never does; "auto" does so about thirty times if
            the network is small, see `diagnostics.steps_between`. It changes no bit of the weights.
        shards: Parts of a batch that are computed at the same time, each by its own thread: see `core.train.shards`.
        threads: BLAS threads of each shard; None leaves NumPy's own choice.
    """

    epochs: int
    learning_rate: float
    schedule: Schedule = field(default_factory=Constant)
    optimizer: Callable[[], Optimizer] = SGD
    loss: Callable[[], Loss] = SoftmaxCrossEntropy
    seed: int = 0
    batch_size: int = 32
    augment: Augmenter | None = None
    workers: int = 0
    clip_norm: float = 0.0
    ema_decay: float = 0.0
    patience: int = 0
    keep_best: bool = False
    diagnose_every: Every = 0
    shards: int = 1
    threads: int | None = None

    @classmethod
    def of(cls, entries: Mapping[str, Any]) -> Self:
        """The plan that the `[train]` table of a recipe describes.

        Args:
            entries: A value for every attribute: numbers as they are; schedule, optimizer and loss as a name or
                `{kind = …, option = …}`; augment as a list of `{kind = …, option = …}`. Other entries are ignored.

        Raises:
            ConfigError: An unknown kind or option, or an impossible value.
        """
        resolved = {
            "schedule": schedule_from(entries["schedule"]),
            "optimizer": partial(construct, OPTIMIZERS, entries["optimizer"]),
            "loss": partial(construct, LOSSES, entries["loss"]),
            "augment": augmenter(entries["augment"]) if entries["augment"] else None,
        }
        return cls(**{own.name: entries[own.name] for own in fields(cls)} | resolved)

    def rate(self, step: int, steps: int, losses: Sequence[float]) -> float:
        """The learning rate of one step; see `Schedule.__call__` for the arguments."""
        return self.learning_rate * self.schedule(step, steps, losses)


def members(structures: Sequence[S], each: int, seed: int) -> Iterator[tuple[int, S]]:
    """Seed and structure of every network of an ensemble: all structures in turn, `each` times, with rising seeds.

    Args:
        structures: What the members' networks look like.
        each: How many members have each structure.
        seed: Of the first member; every further one has the next.
    """
    return enumerate([*structures] * each, start=seed)
