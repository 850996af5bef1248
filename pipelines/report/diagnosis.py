"""What went wrong in a training, read from its epochs and from the measures of its layers. A pure function.

Each rule below is a symptom with its evidence, its usual cause and the next step. They are meant to be silent about a
training that goes well: a hint that is often wrong is soon no longer read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from statistics import median

from core.digit import LABELS
from core.train.diagnostics import LayerDiagnostics, StepDiagnostics, kind_of
from core.train.report import EpochReport
from pipelines.report.formats import number, percent

__all__ = ["Finding", "diagnose", "diagnose_all"]

CHANCE = log(len(LABELS))
"""The loss of a network that gives each digit the same probability, in nats: 2.303."""

_AT_CHANCE = 0.95
"""From this share of `CHANCE` on, with an accuracy below twice that of guessing, nothing has been learned."""

_VANISHED = 1e-2
"""Of the last layer's gradient, what the first one's must be."""

_NO_UPDATE = 1e-5
"""An update, as a share of the weights, with which a layer takes 100,000 steps to become another."""

_IDLE = 0.9
"""The share of a layer's units from which on hardly any gradient passes it."""

_JUMP, _RISE = 1.5, 0.1
"""A loss jumps if it is this many times the lowest before, by so many nats or more, and falls again by half of that."""

_WORSE, _BY = 1.15, 0.03
"""A network overfits if its validation loss is this many times the lowest, by at least so many nats."""

_FALLS, _BY_NATS = 0.05, 0.02
"""A loss is still falling if the last epoch lowered it by this share and so many nats, and the one before did too."""

_ALIKE = 0.9
"""While the training loss is at least this share of that of validation, more training can only help."""


@dataclass(frozen=True)
class Finding:
    """One symptom of a training.

    Attributes:
        name: In a word or two, e.g. "stands still".
        sentence: What was found, with its numbers, why, and what to try.
    """

    name: str
    sentence: str


def diagnose(history: Sequence[EpochReport]) -> tuple[Finding, ...]:
    """What is wrong with the training of one network, the gravest first.

    Args:
        history: Its epochs, in order; may be empty. Without their diagnostics, less is found.

    Returns:
        Nothing if the training goes well.
    """
    if not history:
        return ()
    looks = [step for report in history for step in report.diagnostics]
    if _stands_still(history[-1]):
        return (_still(history, looks),)
    rules: Sequence[Callable[[], Finding | None]] = (
        lambda: _idle(looks),
        lambda: _unstable(history) or _overfits(history),  # a loss that jumps has risen for another reason
        lambda: _unfinished(history),
    )
    return tuple(finding for rule in rules if (finding := rule()))


def diagnose_all(history: Sequence[EpochReport]) -> tuple[Finding, ...]:
    """The same for the members of an ensemble, whose epochs follow each other: each finding once, of the first one."""
    begins = [i for i, report in enumerate(history) if report.epoch == 1]
    found: dict[str, Finding] = {}
    for begin, end in pairwise([*begins, len(history)]):
        for finding in diagnose(history[begin:end]):
            found.setdefault(finding.name, finding)
    return tuple(found.values())


def _stands_still(last: EpochReport) -> bool:
    return last.validation_loss >= _AT_CHANCE * CHANCE and last.validation_accuracy < 2 / len(LABELS)


def _still(history: Sequence[EpochReport], looks: Sequence[StepDiagnostics]) -> Finding:
    last = history[-1]
    found = f"after epoch {last.epoch} the validation loss is {number(last.validation_loss)}"
    return Finding(
        "stands still", f"Nothing was learned: {found}, and guessing gives {number(CHANCE)}. {_cause(looks)}"
    )


def _cause(looks: Sequence[StepDiagnostics]) -> str:
    """Why the loss does not move, from the first and the latest looks at the layers."""
    if not looks:
        return "The layers were not measured: --set train.diagnose_every=50 shows where the gradient is lost."
    first, last = looks[0], looks[-1]
    if blank := next((layer for layer in _weighted(first) if layer.std == 0 and layer.gradient_norm == 0), None):
        return (
            f"At the first step {_place(blank)} gave the same output for every image, and its gradient was 0: weights "
            "that begin equal stay equal. Begin with random ones, e.g. init = he_normal."
        )
    weighted = _weighted(last)
    below, above = _typical(looks, weighted[0].name), _typical(looks, weighted[-1].name)
    if len(weighted) > 1 and 0 < below < _VANISHED * above:
        return (
            f"The gradient vanishes on its way back: its length is {number(above, 2)} at {_place(weighted[-1])} and "
            f"{number(below, 2)} at {_place(weighted[0])}. Try ReLU with init = he_normal, batch_norm, or residual."
        )
    if finding := _idle(looks):
        return finding.sentence
    ratios = [layer.update_ratio for layer in weighted if layer.update_ratio is not None]
    if ratios and max(ratios) < _NO_UPDATE:
        return (
            f"A step changes no layer by more than {number(max(ratios), 2)} of its weights, where 0.001 is usual: the "
            "rate is too small. python -m pipelines find-rate suggests one for train.learning_rate."
        )
    return "No layer shows why. python -m pipelines find-rate suggests a train.learning_rate; also look at the labels."


def _idle(looks: Sequence[StepDiagnostics]) -> Finding | None:
    """The layer with the largest share of idle units, if hardly any others are left."""
    layers = [layer for layer in looks[-1].layers if layer.idle is not None] if looks else []
    worst = max(layers, key=lambda layer: layer.idle or 0.0, default=None)
    if worst is None or worst.idle is None or worst.idle < _IDLE:
        return None
    share, since = percent(worst.idle, 0), _since(looks, worst.name)
    if kind_of(worst.name) == "relu":
        return Finding(
            "dead units",
            f"{share} of the units of {_place(worst)} have been 0 for whole batches since step {since}, and a ReLU "
            "that is 0 passes no gradient on. Try a smaller train.learning_rate, init = he_normal, or leaky_relu.",
        )
    return Finding(
        "saturated",
        f"{share} of the outputs of {_place(worst)} have been saturated since step {since}: there the slope is almost "
        "0, and so is the gradient behind it. Try smaller initial weights, e.g. init = glorot_normal, or batch_norm.",
    )


def _unstable(history: Sequence[EpochReport]) -> Finding | None:
    for curve, losses in (
        ("training", [report.train_loss for report in history]),
        ("validation", [report.validation_loss for report in history]),
    ):
        for at in range(1, len(losses)):
            lowest, peak, after = min(losses[:at]), losses[at], min(losses[at:])
            rose = peak > _JUMP * lowest and peak - lowest > _RISE
            # A loss that rises and stays high after overfitting is no jump; one of training that rises always is.
            if rose and (curve == "training" or peak - after > (peak - lowest) / 2):
                return Finding(
                    "jumps",
                    f"The {curve} loss jumped from {number(lowest)} to {number(peak)} by epoch {at + 1}: each step "
                    "goes too far. Try a smaller train.learning_rate, or train.clip_norm.",
                )
    if history[0].train_loss > 1.5 * CHANCE:
        return Finding(
            "jumps",
            f"The mean training loss of epoch 1 was {number(history[0].train_loss)}, where guessing gives "
            f"{number(CHANCE)}: the first steps went too far. Try a smaller train.learning_rate, a warm-up, or "
            "smaller initial weights.",
        )
    return None


def _overfits(history: Sequence[EpochReport]) -> Finding | None:
    last, best = history[-1], min(history, key=lambda report: report.validation_loss)
    rose = last.validation_loss > _WORSE * best.validation_loss and last.validation_loss - best.validation_loss > _BY
    if not rose or last.epoch < best.epoch + 2 or last.train_loss >= best.train_loss:
        return None
    return Finding(
        "overfits",
        f"Since epoch {best.epoch} the validation loss has risen from {number(best.validation_loss)} to "
        f"{number(last.validation_loss)}, while that of training fell to {number(last.train_loss)}: the network "
        "memorizes its images. Try train.keep_best=true, dropout, weight decay, augmentation, or more images.",
    )


def _unfinished(history: Sequence[EpochReport]) -> Finding | None:
    if len(history) < 3 or history[-1].stopped:
        return None
    earlier, before, last = (report.validation_loss for report in history[-3:])
    falls = earlier > before and before - last > max(_FALLS * before, _BY_NATS)
    if not falls or history[-1].train_loss < _ALIKE * last:
        return None
    return Finding(
        "still learning",
        f"The last epoch lowered the validation loss from {number(before)} to {number(last)}: the training ended "
        "before the learning did. Try more train.epochs, or a larger train.learning_rate.",
    )


def _weighted(step: StepDiagnostics) -> list[LayerDiagnostics]:
    """The layers that have parameters of their own; a network without any has no training."""
    return [layer for layer in step.layers if layer.gradient_norm is not None]


def _typical(looks: Sequence[StepDiagnostics], name: str) -> float:
    """The median length of a layer's gradient in the last third of the looks: that of a single batch is noisy."""
    late = looks[-max(1, len(looks) // 3) :]
    return median(layer.gradient_norm or 0.0 for step in late for layer in step.layers if layer.name == name)


def _since(looks: Sequence[StepDiagnostics], name: str) -> int:
    """The first look from which on the layer was idle at every one."""
    since = looks[-1].step
    for step in reversed(looks):
        if not any(layer.name == name and (layer.idle or 0.0) >= _IDLE for layer in step.layers):
            break
        since = step.step
    return since


def _place(layer: LayerDiagnostics) -> str:
    """`2.dense` → "layer 2 (dense)", counted from 0 as recipes do."""
    kind = kind_of(layer.name)
    return f"layer {layer.name.removesuffix(f'.{kind}')} ({kind})"
