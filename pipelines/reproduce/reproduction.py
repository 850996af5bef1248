"""`reproduce`: the data, the recipe and the training that a manifest describes, and the comparison with what it names.

Nothing is published, and neither the repository nor the version is changed.
"""

from dataclasses import asdict, dataclass
from typing import Any, Self

from pydantic import BaseModel, Field, ValidationError

from core.artifact import weights as weights_file
from core.artifact.manifest import WEIGHTS, Manifest
from core.data.labeled import Labeled
from core.errors import ConfigError, DatasetError
from core.inference.predict import Predictor, rebuild
from core.train.report import EpochReport
from pipelines import provenance
from pipelines.engine.engine import Engine
from pipelines.new_data.account import account_of
from pipelines.order import Order
from pipelines.progress import TrainingProgress
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, TrainedRef, read_mnist
from pipelines.reproduce.nearness import Predictions, Tensor, predictions, tensors
from pipelines.retrain import steps, teaching, training, work
from pipelines.retrain.run import Run
from pipelines.voice import say

__all__ = ["Reproduced", "reproduce"]


class Reproduced(BaseModel):
    """What came of it, as `--json` prints it."""

    version: int
    identical: bool = Field(description="Whether the weights are the same, bit for bit.")
    published_sha256: str
    reproduced_sha256: str
    circumstances: dict[str, tuple[str, str]] = Field(
        description="What is different now from when the version was trained: code and machine, published and now."
    )
    tensors: list[dict[str, Any]] = Field(description="Tensors that differ, the one that differs most first.")
    predictions: dict[str, Any] = Field(description="What both read on the test images.")
    seconds: dict[str, float]

    @property
    def sentence(self) -> str:
        """What came of it, in a line for people."""
        if self.identical:
            return f"version {self.version} is reproduced: the weights are identical, bit for bit"
        found = self.predictions
        return (
            f"version {self.version} is not reproduced bit for bit: {found['alike']:,} of {found['images']:,} test "
            f"images are read alike, and no probability differs by more than {found['largest']:.2g}"
        )

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        trained: TrainedRef,
        different: list[Tensor],
        found: Predictions,
        circumstances: dict[str, tuple[str, str]],
        seconds: dict[str, float],
    ) -> Self:
        """From what was compared."""
        published = manifest.files[WEIGHTS].sha256
        return cls(
            version=manifest.version,
            identical=trained.weights.sha256 == published,
            published_sha256=published,
            reproduced_sha256=trained.weights.sha256,
            circumstances=circumstances,
            tensors=[asdict(tensor) for tensor in different],
            predictions=asdict(found),
            seconds=seconds,
        )


@dataclass(frozen=True)
class _Again:
    """The version as it was trained again."""

    trained: TrainedRef
    predictor: Predictor


def reproduce(order: Order, version: int, engine: Engine) -> Reproduced:
    """Train a version again, and compare.

    An interrupted reproduction goes on after its last complete epoch, as a retraining does.

    Args:
        order: Where the version and the data are; which recipe it names does not matter.
        version: Its number.
        engine: Runs the steps.

    Raises:
        ConfigError: This code cannot read the recipe, or new data that the version was trained on is not named.
        DatasetError: The data is not what the version was trained on.
        ArtifactError: The version is missing or damaged.
    """
    store = order.store
    manifest = store.manifest(version)
    weights = store.read(manifest)
    published = rebuild(manifest, weights)
    recipe = recipe_of(manifest)
    circumstances = _circumstances(manifest, recipe)
    for name, (then, now) in circumstances.items():
        say(f"different from when version {version} was trained: {name}: {then}, now {now}")
    dataset = _data(order, manifest, recipe, engine)
    dataset = engine.reaching_out(teaching.pinned)(store, recipe, dataset, manifest.data.teacher)
    run = Run.of(dataset, recipe, order.data_dir)
    with work.held(run, say):
        again = _train(run, manifest, engine)
        with engine.stage("compare"):
            state = weights_file.decode(again.trained.weights.read(), name=str(again.trained.weights.path))
            different = tensors(weights_file.decode(weights, name=WEIGHTS), state)
            mnist = read_mnist(dataset.files)
            found = predictions(published, again.predictor, Labeled(mnist.test_images, mnist.test_labels))
        result = Reproduced.of(manifest, again.trained, different, found, circumstances, engine.seconds)
        training.clear(run.dataset, recipe, run.work)
    return result


def recipe_of(manifest: Manifest) -> Recipe:
    """The recipe that a manifest records, as this code reads it.

    Raises:
        ConfigError: It has a key or a value that this code does not know.
    """
    try:
        return Recipe.model_validate(manifest.recipe)
    except (ValidationError, ConfigError) as error:
        commit = f"; train it with the code of commit {manifest.code.commit}" if manifest.code.commit else ""
        raise ConfigError(
            f"version {manifest.version}: this code cannot read its recipe, {str(error).splitlines()[0]}{commit}"
        ) from error


def _data(order: Order, manifest: Manifest, recipe: Recipe, engine: Engine) -> DatasetRef:
    """The data that the version was trained on.

    Raises:
        ConfigError: It was trained on new data too, of which nothing is named, or which an older release recorded.
        DatasetError: The data is other data.
    """
    version, then = manifest.version, manifest.data
    new = then.new_data if then.new_data and then.new_data.images else None
    if then.feedback:
        code = f"the code of commit {manifest.code.commit}" if manifest.code.commit else "the release that trained it"
        raise ConfigError(
            f"version {version} was trained on {then.feedback.images:,} new pictures that were gathered and recorded "
            f"by an older release, as this code does not; reproduce it with {code}"
        )
    if new and not (order.feedback or order.extra):
        raise ConfigError(
            f"version {version} was trained on {new.images:,} new pictures as well, which no manifest holds; name the "
            "folders in which they still are with --feedback and --extra"
        )
    with engine.stage("download"):
        files = engine.reaching_out(steps.download)(order.data_dir, order.mirrors)
    with engine.stage("verify"):
        dataset = steps.verify(files)
    if dict(then.files) != dataset.digests:
        names = ", ".join(name for name, sha256 in dataset.digests.items() if then.files.get(name) != sha256)
        raise DatasetError(f"version {version} was trained on other files than these: {names}; name their --mirror")
    if new is None:
        return dataset
    with engine.stage("gather"):
        dataset = engine.reaching_out(steps.gather)(order, recipe, dataset)
    now = account_of(dataset)
    if now is None or now.sha256 != new.sha256:
        raise DatasetError(
            f"version {version} was trained on {new.images:,} new pictures with sha256 {new.sha256}; "
            f"found {now.images if now else 0:,} with sha256 {now.sha256 if now else None}. Are "
            "the folders, and the decisions about what is trusted, those of that time?"
        )
    return dataset


def _train(run: Run, manifest: Manifest, engine: Engine) -> _Again:
    if run.recipe.data.styles.count:
        with engine.stage("draw"):
            run = steps.draw(run)
    with engine.stage("normalize"):
        preprocessing = steps.fit_normalizer(run)
    with engine.stage("train"), TrainingProgress() as progress:

        def on_epoch(report: EpochReport) -> None:
            engine.epoch(report)
            progress.tell(report)

        trained = training.train(run.dataset, preprocessing, run.recipe, run.work, on_epoch)
    # With the published temperature: what differs should be what was trained.
    predictor = Predictor(
        steps.trained_network(trained, run.recipe),
        training.normalizer(preprocessing),
        manifest.labels,
        manifest.calibration.temperature,
        manifest.rejection,
    )
    return _Again(trained, predictor)


def _circumstances(manifest: Manifest, recipe: Recipe) -> dict[str, tuple[str, str]]:
    """What may decide the last bits and is different now."""
    now = provenance.environment(recipe.train.shards * recipe.train.threads)
    found = {
        name: (str(getattr(manifest.environment, name)), str(getattr(now, name)))
        for name in type(now).model_fields
        if getattr(manifest.environment, name) != getattr(now, name)
    }
    code = provenance.sources_digest(recipe)
    if code != manifest.code.sources_sha256:
        commit = f" (commit {manifest.code.commit[:12]})" if manifest.code.commit else ""
        found["code that decides the weights"] = (f"sha256 {manifest.code.sources_sha256[:12]}{commit}", code[:12])
    return found
