"""`Comparison`: the variants of a study with what came of them, and what can be concluded."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property
from math import isfinite
from typing import Any, Self

from core.measure.newcombe import newcombe_interval
from pipelines.order import Order
from pipelines.report.formats import percent
from pipelines.retrain import steps
from pipelines.settings import Settings
from pipelines.study.conduct import Row, conduct, processors, reclaim
from pipelines.study.question import Question
from pipelines.study.study_progress import StudyProgress
from pipelines.study.variant_outcome import Outcome
from pipelines.voice import say

__all__ = ["Comparison"]


@dataclass(frozen=True)
class Comparison:
    """A question and its answer.

    Attributes:
        question: What was compared.
        rows: The variants, in the question's order.
    """

    question: Question
    rows: tuple[Row, ...]

    @classmethod
    def made(cls, question: Question, order: Order, workers: int | None) -> Self:
        """Bring the data, and train every variant that no earlier study has trained.

        Args:
            question: What to compare.
            order: Where the data is, and where outcomes are kept.
            workers: How many variants to train at a time; None trains one for each processor.

        Raises:
            ConfigError: There are not as many images.
            SourceError: The data cannot be brought.
            WorkerLostError: The processes that train a variant die again and again.
        """
        folder = order.data_dir / "study"
        reclaim(folder, timedelta(days=Settings().keep_days))
        dataset = steps.verify(steps.download(order.data_dir, order.mirrors))
        fewest, most = question.epochs
        epochs = f"{most}" if fewest == most else f"{fewest} to {most}"
        say(f"study {question.name}: {len(question.variants)} variants, {epochs} epochs of {question.images:,} images")
        with StudyProgress(len(question.variants)) as progress:
            rows = conduct(question.variants, dataset, question.images, folder, workers or processors(), progress.tell)
        return cls(question, rows)

    @cached_property
    def ranked(self) -> tuple[Row, ...]:
        """The variants that have an accuracy, the most accurate first."""
        measured = [row for row in self.rows if row.outcome.accuracy is not None]
        return tuple(sorted(measured, key=lambda row: row.outcome.accuracy or 0.0, reverse=True))

    @cached_property
    def conclusions(self) -> tuple[str, ...]:
        """What the numbers say, a sentence each, the most important first."""
        sentences = []
        if self.ranked:
            best = self.ranked[0].outcome
            first = [row.variant.name for row in self.ranked if row.outcome.accuracy == best.accuracy]
            low, high = best.interval or (0.0, 1.0)
            reads, it = ("reads", "it") if len(first) == 1 else ("read", "them")
            sentences.append(
                f"{_listed(first)} {reads} the most validation images correctly: {percent(best.accuracy)} "
                f"(95% interval {percent(low)} to {percent(high)})."
            )
            if alike := [row.variant.name for row in self.ranked[len(first) :] if not _differ(best, row.outcome)]:
                one = len(alike) == 1
                contains = "interval of the difference contains" if one else "intervals of the differences contain"
                sentences.append(
                    f"With {best.validation_images:,} images, {_listed(alike)} cannot be told from {it}: the 95% "
                    f"{contains} 0."
                )
        named: dict[str, list[str]] = {}
        for row in self.rows:
            for finding in row.outcome.findings[:1]:
                named.setdefault(finding.name, []).append(row.variant.name)
        sentences += [f"{name[0].upper()}{name[1:]}: {_listed(variants)}." for name, variants in named.items()]
        return tuple(sentences)

    @property
    def document(self) -> dict[str, Any]:
        """All of it as JSON; a number that is not finite is null."""
        question = self.question
        return {
            "study": question.name,
            "question": question.question,
            "images": question.images,
            "conclusions": list(self.conclusions),
            "variants": [_document(row) for row in self.rows],
        }


def _differ(best: Outcome, other: Outcome) -> bool:
    """Whether the accuracy of the first is shown to be higher."""
    if best.accuracy is None or best.interval is None or other.accuracy is None or other.interval is None:
        return False
    return newcombe_interval(best.accuracy, best.interval, other.accuracy, other.interval)[0] > 0


def _document(row: Row) -> dict[str, Any]:
    outcome, variant = row.outcome, row.variant
    return {
        "name": variant.name,
        "recipe": variant.recipe,
        "set": list(variant.overrides),
        "reused": row.reused,
        "parameters": outcome.parameters,
        "seconds": outcome.seconds,
        "images_per_second": outcome.images_per_second,
        "initial_loss": _number(outcome.initial_loss),
        "accuracy": outcome.accuracy,
        "interval": outcome.interval,
        "validation_images": outcome.validation_images,
        "diverged": outcome.diverged,
        "findings": [asdict(finding) for finding in outcome.findings],
        "epochs": [
            {
                "epoch": report.epoch,
                "train_loss": _number(report.train_loss),
                "validation_loss": _number(report.validation_loss),
                "train_accuracy": report.train_accuracy,
                "validation_accuracy": report.validation_accuracy,
                "learning_rate": report.learning_rate,
            }
            for report in outcome.history
        ],
    }


def _number(value: float) -> float | None:
    return value if isfinite(value) else None


def _listed(names: Sequence[str]) -> str:
    """a, b and c."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
