"""Judging: a challenger and the versions before it are read on the same images, and the gate decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.artifact.manifest import Manifest, Metrics, Verdict
from core.artifact.origin import DataProvenance
from core.artifact.repository import Repository
from core.data.split import Split
from core.errors import DamagedVersionError, GoldenProbeError, UnreadableEntryError
from core.imaging import framing_version
from core.inference.predict import Predictor, rebuild
from pipelines.promotion.evidence import Comparison, Evidence
from pipelines.promotion.exam import ALTERED_EVERY, Exam, Reading
from pipelines.promotion.gate import decide
from pipelines.promotion.paired import Pairs, least_images
from pipelines.promotion.standing import Standing, manifest_of
from pipelines.promotion.words import BEST, CHAMPION
from pipelines.sections import PromotionSection


@dataclass(frozen=True, eq=False)
class Challenger:
    """A version that may become the champion.

    Attributes:
        predictor: Reads images.
        parameters: How many numbers it has learned.
        validation: Its measures on the validation images.
        data: What it was trained and validated on.
        version: Its number if it is published already.
    """

    predictor: Predictor
    parameters: int
    validation: Metrics
    data: DataProvenance
    version: int | None = None

    @classmethod
    def published(cls, repository: Repository, manifest: Manifest) -> "Challenger":
        """A published version.

        Raises:
            ArtifactError: It is damaged.
        """
        predictor = rebuild(manifest, repository.read(manifest))
        count = manifest.architecture.parameter_count
        return cls(predictor, count, manifest.validation, manifest.data, manifest.version)


def judge(
    challenger: Challenger,
    repository: Repository,
    rule: PromotionSection,
    prepare: Callable[[bool], Exam],
    say: Callable[[str], None],
) -> Verdict:
    """The verdict on a challenger, as the repository stands now.

    Args:
        challenger: The version.
        repository: Holds the versions before it.
        rule: From the recipe.
        prepare: Gives the images to read; whether there is an earlier version to compare with decides which are needed.
        say: Receives each message.
    """
    standing = Standing.of(repository, challenger.data, say, own=challenger.version)
    rivals = _rivals(standing, repository)
    exam = prepare(bool(rivals))
    reading = Reading.of(challenger.predictor, exam)
    return decide(
        Evidence(
            validation=challenger.validation,
            parameters=challenger.parameters,
            parent=standing.parent,
            compared=tuple(
                _compare(challenger, reading, exam, repository, rival, role, rule, say) for rival, role in rivals
            ),
            best=standing.best,
            consulted=standing.consulted,
            slices=tuple(p.described(reading.pictures[p.name]) for p in exam.pictures),
        ),
        rule,
    )


def _rivals(standing: Standing, repository: Repository) -> list[tuple[Manifest, str]]:
    """The champion and the best version, as far as they can be read; once if they are the same."""
    champion, best = standing.champion, standing.best
    if champion and best and champion.version == best.version:
        return [(champion, f"{CHAMPION} and {BEST}")]
    rivals = [(champion, CHAMPION)] if champion else []
    # If the best version was pruned since, the gate compares with its recorded accuracy.
    found = manifest_of(repository, best.version) if best else None
    return [*rivals, (found, BEST)] if found else rivals


def _compare(
    challenger: Challenger,
    reading: Reading,
    exam: Exam,
    repository: Repository,
    rival: Manifest,
    role: str,
    rule: PromotionSection,
    say: Callable[[str], None],
) -> Comparison:
    try:
        predictor = rebuild(rival, repository.read(rival))
        framing = framing_version(rival.preprocessing.framing)
    except (DamagedVersionError, UnreadableEntryError, GoldenProbeError) as error:
        say(f"version {rival.version}, {role}, cannot be read, so only its recorded accuracy is compared: {error}")
        return replace(_apart(rival, role), readable=False)
    theirs = Reading.of(predictor, exam, framing)
    slices = {name: Pairs.of(reading.pictures[name], right) for name, right in theirs.pictures.items()}
    fair = _validated_both(exam.rows, challenger.data, rival.data)
    needed = least_images(rule.max_accuracy_drop, rule.confidence)
    if fair.sum() < needed:
        why = f"{fair.sum():,} validated both, and {needed:,} are needed" if fair.any() else "none validated both"
        return _apart(rival, role, why, slices)
    altered = fair[::ALTERED_EVERY]
    return Comparison(
        version=rival.version,
        role=role,
        validation=rival.validation,
        parameters=rival.architecture.parameter_count,
        accuracy=Pairs.of(reading.validation[fair], theirs.validation[fair]),
        digits={
            str(digit): Pairs.of(reading.validation[shown], theirs.validation[shown])
            for digit in np.unique(exam.validation.labels[fair]).tolist()
            if (shown := fair & (exam.validation.labels == digit)).any()
        },
        robustness={
            name: Pairs.of(reading.altered[name][altered], right[altered])
            for name, right in theirs.altered.items()
            if altered.any()
        },
        slices=slices,
    )


def _apart(rival: Manifest, role: str, why: str = "", slices: Mapping[str, Pairs] | None = None) -> Comparison:
    """A comparison without common validation images."""
    return Comparison(
        version=rival.version,
        role=role,
        validation=rival.validation,
        parameters=rival.architecture.parameter_count,
        accuracy=None,
        why_apart=why,
        slices=slices or {},
    )


def _validated_both(rows: NDArray[np.intp], ours: DataProvenance, theirs: DataProvenance) -> NDArray[np.bool_]:
    """Which validation images of the challenger the rival has not been trained on: those that validated it as well.

    None if the rival was trained on other files: images of ours may be among them.
    """
    if ours.files != theirs.files:
        return np.zeros(len(rows), np.bool_)
    whole = theirs.train_images + theirs.validation_images
    return np.isin(rows, Split.random(whole, theirs.validation_images, seed=theirs.split_seed).validation)
