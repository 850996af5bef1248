"""`Retrained`: the result of a retraining, as `--json` prints it."""

from typing import Literal, Self

from pydantic import BaseModel, Field

from core.artifact.manifest import WEIGHTS, Manifest, Metrics, RejectionMetrics, Verdict
from core.artifact.repository import Repository
from pipelines.new_data.account import counts
from pipelines.promotion.advance import Advance
from pipelines.references import DatasetRef, TrainedRef
from pipelines.retrain.measures import Evaluations, as_metrics, rejected_shares

Outcome = Literal["published", "unchanged", "rejected", "dry_run"]


class Retrained(BaseModel):
    """What a retraining has come to."""

    outcome: Outcome
    version: int | None = Field(description="None after a dry run, which publishes nothing.")
    promoted: bool = Field(description="Whether the version is the champion now.")
    canary: bool = Field(False, description="Whether the version is a canary now, which may become the champion later.")
    rejected: str | None = Field(description="Why the gate or its trial refuses the version; None if neither does.")
    why: str | None = Field(None, description="Why this run has made the version the champion; None if it has not.")
    verdict: Verdict = Field(description="What the gate found when the version was judged first.")
    metrics: dict[str, float]
    robustness: dict[str, float] = Field(description="Test accuracy on altered images, by the kind of alteration.")
    new_data: dict[str, int] | None = Field(
        description="How many pictures of new data there are; None if none is named."
    )
    seconds: dict[str, float]
    recipe: str
    repository: str
    report: str | None = Field(description="Its path; its URL if the repository is no folder. None after a dry run.")
    weights_sha256: str

    @property
    def sentence(self) -> str:
        """What came of it, in a line for people."""
        version = "nothing published" if self.version is None else f"version {self.version}"
        standing = "the champion" if self.promoted else "a canary" if self.canary else "not the champion"
        outcome = self.outcome.replace("_", " ")
        return f"{outcome}: {version}, {standing}, test accuracy {self.metrics['test_accuracy']:.2%}"

    @classmethod
    def published(
        cls,
        outcome: Outcome,
        manifest: Manifest,
        advance: Advance,
        dataset: DatasetRef,
        repository: Repository,
        seconds: dict[str, float],
    ) -> Self:
        """The result about a version that is published."""
        return cls(
            outcome=outcome,
            version=manifest.version,
            promoted=advance.promoted,
            canary=advance.canary,
            rejected=advance.rejected,
            why=advance.why,
            verdict=manifest.verdict,
            metrics=_metrics(
                manifest.test, manifest.validation, manifest.calibration.temperature, manifest.rejection_metrics
            ),
            robustness={name: measured.accuracy for name, measured in manifest.robustness.items()},
            new_data=counts(dataset),
            seconds=seconds,
            recipe=manifest.recipe_name,
            repository=repository.url,
            report=f"{repository.location}/{manifest.name}/{manifest.version}/report.html",
            weights_sha256=manifest.files[WEIGHTS].sha256,
        )

    @classmethod
    def dry_run(
        cls,
        recipe: str,
        trained: TrainedRef,
        measured: Evaluations,
        verdict: Verdict,
        dataset: DatasetRef,
        repository: Repository,
        seconds: dict[str, float],
    ) -> Self:
        """The result of a dry run with the recipe of this name."""
        test, validation = as_metrics(measured.test), as_metrics(measured.validation)
        return cls(
            outcome="dry_run",
            version=None,
            promoted=False,
            rejected=None if verdict.promote else verdict.reason,
            verdict=verdict,
            metrics=_metrics(test, validation, measured.temperature, measured.rejection_metrics),
            robustness={name: accuracy.accuracy for name, accuracy in measured.robustness.items()},
            new_data=counts(dataset),
            seconds=seconds,
            recipe=recipe,
            repository=repository.url,
            report=None,
            weights_sha256=trained.weights.sha256,
        )


def _metrics(
    test: Metrics, validation: Metrics, temperature: float, rejection: RejectionMetrics | None
) -> dict[str, float]:
    return {
        "test_accuracy": test.accuracy,
        "validation_accuracy": validation.accuracy,
        "test_loss": test.loss,
        "validation_loss": validation.loss,
        "calibration_error": test.calibration_error,
        "temperature": temperature,
        **rejected_shares(rejection),
    }
