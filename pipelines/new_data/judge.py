"""The judge of new pictures: a network that was trained without them.

A network cannot judge what it was trained on, as it may have learned the very mistakes that it is asked about. The
version that ships with Numeral has seen nothing but MNIST and drawn digits. Where there is none, a small network is
trained on MNIST alone, once a data folder.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from core.artifact import weights as weights_file
from core.artifact.manifest import WEIGHTS, Preprocessing
from core.artifact.repository import Repository
from core.data.labeled import Labeled
from core.data.normalize import Normalizer
from core.digit import LABELS
from core.errors import ArtifactError, RepositoryError
from core.inference.predict import Predictor, load
from core.measure.calibration import fit_temperature
from pipelines import provenance
from pipelines.lock import locked
from pipelines.recipe import Recipe, load_recipe
from pipelines.references import DatasetRef, FileRef, read_mnist
from pipelines.retrain import training
from pipelines.retrain.work import lock_of
from pipelines.sections import DataSection

RECIPE = "judge"
"""The recipe of the small network."""

_RECORD = "judge.json"

Kind = Literal["pretrained", "trained"]


@dataclass(frozen=True, eq=False)
class Judge:
    """A network that has not seen the new pictures.

    Attributes:
        predictor: Reads pictures.
        description: What it is, for people.
        sha256: Of its weights.
    """

    predictor: Predictor
    description: str
    sha256: str


def find_judge(
    kind: Kind, pretrained: str | None, dataset: DatasetRef, recipe: Recipe, data_dir: Path, say: Callable[[str], None]
) -> Judge:
    """The version that ships with Numeral, or else a small network that is trained on MNIST alone.

    Args:
        kind: Which of the two is wanted; without a shipped version, the second one.
        pretrained: The repository of the shipped version; None if there is none.
        dataset: The data set to train the small network on; anything but its four files is left out.
        recipe: Of the run: the small network has the same validation images.
        data_dir: Where the small network is kept.
        say: Receives each message.

    Raises:
        RepositoryError: The repository of the shipped version cannot be read at the moment.
        TrainingError: The small network could not be trained.
        StorageError: It could not be kept.
    """
    why = 'data.trust.judge is "trained"'
    if kind == "pretrained":
        why = "there is no pretrained version to judge new data"
        if pretrained:
            try:
                return _shipped(pretrained)
            except RepositoryError:
                raise  # of this night alone: with another judge, other pictures would be trusted until it is back
            except ArtifactError as error:
                say(f"the pretrained version cannot judge new data: {error}; a small network judges it")
                why = "the pretrained version cannot judge new data"
    return _trained(dataset, recipe, data_dir, why, say)


def _shipped(url: str) -> Judge:
    """The champion of a repository.

    Raises:
        ArtifactError: It cannot be loaded, or it has learned from pictures that users sent.
    """
    repository = Repository(url)
    predictor, manifest = load(repository, repository.champion())
    if manifest.data.feedback or manifest.data.new_data or manifest.data.trusted:
        raise ArtifactError(
            f"version {manifest.version} of {url} was trained on new data itself; expected one that was not"
        )
    description = f"pretrained version {manifest.version}, recipe {manifest.recipe_name}"
    return Judge(predictor, description, manifest.files[WEIGHTS].sha256)


class _Record(BaseModel):
    """A small network that is trained.

    Attributes:
        weights: Its weights.
        mean: Of its normalizer, as `std` is.
        std: In pixel units.
        temperature: Which makes probabilities of its outputs.
    """

    model_config = ConfigDict(frozen=True)

    weights: FileRef
    mean: float
    std: float
    temperature: float


def _trained(dataset: DatasetRef, recipe: Recipe, data_dir: Path, why: str, say: Callable[[str], None]) -> Judge:
    """A small network, trained at the first call and found again at later ones."""
    data = DataSection(validation_images=recipe.data.validation_images, split_seed=recipe.data.split_seed)
    own = load_recipe(RECIPE).model_copy(update={"data": data})
    clean = DatasetRef(files=dataset.files, train_images=dataset.train_images, test_images=dataset.test_images)
    work = data_dir / "judges" / provenance.fingerprint(clean.deciding, own)[:16]

    def waiting(holder: str) -> None:
        say(f"another run ({holder}) trains the small network that judges new data; waiting for it to end")

    with locked(lock_of(work), waiting, say):
        record = _recalled(work / _RECORD)
        if record is None:
            say(f"{why}: a small network is trained for it, on MNIST alone")
            record = _train(clean, own, work)
        else:
            (work / _RECORD).touch()  # it is in use: what nobody uses is removed after some time
        weights = record.weights.read()
    network = own.build(np.random.default_rng(0))
    network.load_state(weights_file.decode(weights, name=str(record.weights.path)))
    return Judge(
        Predictor(network, Normalizer(record.mean, record.std), LABELS, record.temperature),
        f"a network trained on MNIST alone, recipe {RECIPE}",
        record.weights.sha256,
    )


def _recalled(path: Path) -> _Record | None:
    """What an earlier run has trained; None if there is nothing, or nothing to rely on."""
    try:
        record = _Record.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    return record if record.weights.holds() else None


def _train(dataset: DatasetRef, recipe: Recipe, work: Path) -> _Record:
    """Train the small network, and keep it in a folder that the caller holds."""
    normalizer = Normalizer.fit(training.train_split(dataset, recipe)[0])
    preprocessing = Preprocessing(mean=normalizer.mean, std=normalizer.std, framing={})
    fitted = FileRef.store(work / "preprocessing.json", preprocessing.model_dump_json().encode())
    trained = training.train(dataset, fitted, recipe, work, lambda _: None)
    network = recipe.build(np.random.default_rng(0))
    network.load_state(weights_file.decode(trained.weights.read(), name=str(trained.weights.path)))
    held_out = _validation(dataset, recipe)
    logits = Predictor(network, normalizer, LABELS).logits(held_out.images)
    temperature = fit_temperature(logits, held_out.labels)
    record = _Record(weights=trained.weights, mean=normalizer.mean, std=normalizer.std, temperature=temperature)
    FileRef.store(work / _RECORD, record.model_dump_json().encode())  # last: a later run may now rely on the weights
    return record


def _validation(dataset: DatasetRef, recipe: Recipe) -> Labeled:
    mnist, rows = read_mnist(dataset.files), training.split(dataset, recipe).validation
    return Labeled(mnist.train_images[rows], mnist.train_labels[rows])
