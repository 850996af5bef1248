"""The flow: bring → verify → normalize → train → evaluate → publish → promote."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from prefect import Flow, flow
from prefect.client.schemas.objects import FlowRun, State
from pydantic import BaseModel, Field

from core.artifact.manifest import WEIGHTS, Manifest
from core.artifact.repository import Repository
from pipelines import provenance, voice
from pipelines.recipe import load_recipe, recipe_path
from pipelines.retrain import steps, tasks, training
from pipelines.settings import Settings
from pipelines.voice import say


class Retrained(BaseModel):
    """What a retraining came to; `--json` prints it."""

    outcome: Literal["published", "unchanged", "rejected"]
    version: int
    promoted: bool = Field(description="Whether the version is the champion now.")
    metrics: dict[str, float]
    robustness: dict[str, float] = Field(description="Test accuracy by corruption.")
    seconds: dict[str, float]
    recipe: str
    repository: str
    report: str
    weights_sha256: str


class _Stopwatch:
    """Seconds spent in each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = perf_counter()
        yield
        self.seconds[stage] = round(perf_counter() - started, 3)


def _tell_failure(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 — Prefect's signature
    """One line in the log of a scheduler, whose runs nobody watches; a run by hand ends with its error anyway."""
    if flow_run.deployment_id:
        voice.prepare()
        say(f"retraining failed: {state.message}")


@flow(name="retrain", on_failure=[_tell_failure], on_crashed=[_tell_failure])
def retrain(
    recipe: str = "mlp",
    overrides: tuple[str, ...] = (),
    repository: str | None = None,
    data_dir: Path | None = None,
    mirrors: tuple[str, ...] = (),
    feedback: Path | None = None,
) -> Retrained:
    """Train a version with a recipe, publish it, and promote it where it is no worse than the champion.

    Running again with nothing changed (data, recipe, code) trains nothing.

    Args:
        recipe: A name in `recipes/`, or the path of a TOML file.
        overrides: `key=value`, e.g. `train.epochs=5`.
        repository: Where to publish; default `NUMERAL_REPOSITORY`, else `./models`.
        data_dir: Where downloads and unfinished runs are kept; default `NUMERAL_DATA_DIR`, else `data/cache`.
        mirrors: Mirrors to ask before the public ones.
        feedback: Folder with what users sent to the service; default `NUMERAL_FEEDBACK`, else none.
    """
    voice.prepare()
    settings, name = Settings(), recipe_path(recipe).stem
    data_dir = (data_dir or settings.data_dir).resolve()
    store = Repository(repository or settings.repository, writable=True)
    chosen = load_recipe(recipe, overrides)
    clock = _Stopwatch()

    with clock("download"):
        files = tasks.bring(data_dir, mirrors or settings.mirrors)
    with clock("verify"):
        dataset = tasks.verify(files)
        if folder := feedback or settings.feedback:
            dataset = tasks.gather(folder, dataset, data_dir)
    fingerprint = provenance.fingerprint(dataset.deciding, chosen)
    work, by = data_dir / "work" / fingerprint[:16], provenance.author()

    if known := steps.find_unchanged(store, fingerprint):
        say(f"unchanged: data, recipe and code are those of version {known.version}; nothing to train")
        # A run that was killed between publishing and promoting left this undone.
        promoted = tasks.promote(store.url, known, by)
        training.clear(dataset, chosen, work)
        return _result("unchanged", known, promoted, store, clock)

    with clock("normalize"):
        preprocessing = tasks.normalize(dataset, chosen, work)
    with clock("train"):
        trained = tasks.train(dataset, preprocessing, chosen, work)
    with clock("evaluate"):
        evaluations = tasks.evaluate(dataset, preprocessing, trained, chosen, work)
    with clock("publish"):
        manifest = tasks.publish(store.url, fingerprint, name, chosen, dataset, preprocessing, trained, evaluations)
    with clock("promote"):
        promoted = tasks.promote(store.url, manifest, by)
    training.clear(dataset, chosen, work)
    return _result("published" if manifest.verdict.promote else "rejected", manifest, promoted, store, clock)


def _result(
    outcome: Literal["published", "unchanged", "rejected"],
    manifest: Manifest,
    promoted: bool,
    repository: Repository,
    clock: _Stopwatch,
) -> Retrained:
    return Retrained(
        outcome=outcome,
        version=manifest.version,
        promoted=promoted,
        metrics={
            "test_accuracy": manifest.test.accuracy,
            "validation_accuracy": manifest.validation.accuracy,
            "test_loss": manifest.test.loss,
            "validation_loss": manifest.validation.loss,
            "calibration_error": manifest.test.calibration_error,
            "temperature": manifest.calibration.temperature,
        },
        robustness={name: measured.accuracy for name, measured in manifest.robustness.items()},
        seconds=clock.seconds,
        recipe=manifest.recipe_name,
        repository=repository.url,
        report=f"{repository.url.rstrip('/')}/{manifest.name}/{manifest.version}/report.html",
        weights_sha256=manifest.files[WEIGHTS].sha256,
    )
