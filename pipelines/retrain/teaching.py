"""The teacher of a recipe: a published version whose answers are learned beside the labels; see `core.nn.distillation`.

A recipe names it by its number, by an alias, or as the newest version of another recipe. Which version that is, is
found out once for each run; its digest is part of the run's fingerprint, and the manifest records it. So the same
recipe with a new teacher is another training, and a version that was distilled can be reproduced.
"""

import hashlib
import json

import numpy as np

from core.artifact import weights as weights_file
from core.artifact.manifest import WEIGHTS, Manifest
from core.artifact.origin import TeacherProvenance
from core.artifact.repository import Repository
from core.data.normalize import Normalizer
from core.errors import ConfigError, DamagedVersionError, DatasetError, UnreadableEntryError, VersionNotFoundError
from core.nn.architectures import build
from core.train.teacher import Teacher
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, TeacherRef
from pipelines.teacher_section import TeacherSection

__all__ = ["check", "find", "holding", "load", "named", "pinned", "provenance_of"]


def find(store: Repository, recipe: Recipe, dataset: DatasetRef) -> DatasetRef:
    """Add a reference to the teacher that a recipe names: the same data if it names none.

    Raises:
        ConfigError: There is no such version.
        ArtifactError: It is damaged, or the repository cannot be read.
    """
    section = recipe.train.teacher
    if section is None:
        return dataset
    return _with(holding(store, section), dataset, named(store, section), section.name)


def pinned(store: Repository, recipe: Recipe, dataset: DatasetRef, recorded: TeacherProvenance | None) -> DatasetRef:
    """Add a reference to the teacher that a version was trained with, whatever its recipe would name by now.

    Raises:
        ConfigError: The version is not there any more.
        DatasetError: It is another one.
        ArtifactError: It is damaged, or the repository cannot be read.
    """
    if recorded is None or recipe.train.teacher is None:
        return dataset
    store = holding(store, recipe.train.teacher)
    try:
        manifest = store.manifest(recorded.version)
    except VersionNotFoundError as error:
        raise ConfigError(
            f"the teacher was version {recorded.version} ({recorded.recipe_name}), with weights "
            f"{recorded.weights_sha256}: {error}; without it, what it taught cannot be learned again"
        ) from error
    if _digest(manifest) != recorded.sha256:
        raise DatasetError(
            f"the teacher was version {recorded.version} with weights {recorded.weights_sha256}; {store.url} has "
            f"another version {recorded.version}, with weights {manifest.files[WEIGHTS].sha256}"
        )
    return _with(store, dataset, manifest, recipe.train.teacher.name)


def check(recipe: Recipe, dataset: DatasetRef) -> TeacherRef | None:
    """The reference to the teacher of a recipe; None if the recipe names none.

    Raises:
        ConfigError: The teacher was not found beforehand, or the recipe names another one than was found.
    """
    section, ref = recipe.train.teacher, dataset.teacher
    if section is None:
        return None
    if ref is None:
        raise ConfigError(
            f"train.teacher is {section.name}: this command looks into no repository of versions, so it knows no "
            "teacher; leave train.teacher out, or retrain with it"
        )
    if ref.name != section.name:
        raise ConfigError(
            f"train.teacher is {section.name}, but {ref.name} was looked up: the teacher cannot be varied; only its "
            "weight and temperature can"
        )
    return ref


def load(ref: TeacherRef, section: TeacherSection) -> Teacher:
    """Read the teacher.

    Args:
        ref: Which version it is.
        section: How much its answers count.

    Raises:
        DatasetError: It is not the version any more that was referred to.
        ArtifactError: It is missing or damaged, or the repository cannot be read.
    """
    store = Repository(ref.repository)
    manifest = store.manifest(ref.version)
    if _digest(manifest) != ref.sha256:
        raise DatasetError(f"{ref.repository}: version {ref.version} is another one than when it was found; run again")
    spec = manifest.architecture
    network = build(spec.input_shape, spec.layers, rng=np.random.default_rng(0))
    network.load_state(weights_file.decode(store.read(manifest), name=f"version {ref.version}: {WEIGHTS}"))
    return Teacher(
        network=network,
        normalizer=Normalizer(manifest.preprocessing.mean, manifest.preprocessing.std),
        weight=section.weight,
        temperature=section.temperature,
    )


def provenance_of(ref: TeacherRef) -> TeacherProvenance:
    """Which version it is, as a manifest records it."""
    return TeacherProvenance.model_validate(ref.model_dump(exclude={"repository", "name"}))


def _with(store: Repository, dataset: DatasetRef, manifest: Manifest, name: str) -> DatasetRef:
    found = TeacherRef(
        repository=store.url,
        name=name,
        version=manifest.version,
        recipe_name=manifest.recipe_name,
        test_accuracy=manifest.test.accuracy,
        weights_sha256=manifest.files[WEIGHTS].sha256,
        sha256=_digest(manifest),
    )
    return dataset.model_copy(update={"teacher": found})


def named(store: Repository, section: TeacherSection) -> Manifest:
    """The version that a recipe names as its teacher.

    Raises:
        ConfigError: There is none.
        ArtifactError: It is damaged, or the repository cannot be read.
    """
    store = holding(store, section)
    where = f"train.teacher is {section.name}: {store.url} has no such version"
    if section.recipe:
        found = _newest_of(store, section.recipe)
        if found is None:
            place = f" --repository {section.repository}" if section.repository else ""
            train = f"python -m pipelines retrain --recipe {section.recipe} --promote never{place}"
            raise ConfigError(f"{where}; train it first with: {train}")
        return found
    version = section.version or store.alias(section.alias).target()
    if version is None:
        raise ConfigError(f"{where}: the alias names none; promote one, or name the teacher by version or recipe")
    try:
        return store.manifest(version)
    except VersionNotFoundError as error:
        raise ConfigError(f"{where}: {error}") from error


def holding(store: Repository, section: TeacherSection) -> Repository:
    """The repository that holds the teacher: the one that the new version is published in, unless another is named."""
    return Repository(section.repository) if section.repository else store


def _newest_of(store: Repository, recipe: str) -> Manifest | None:
    """The newest undamaged version of a recipe."""
    for version in store.versions()[::-1]:
        try:
            manifest = store.manifest(version)
        except (DamagedVersionError, UnreadableEntryError, VersionNotFoundError):
            continue
        if manifest.recipe_name == recipe:
            return manifest
    return None


def _digest(manifest: Manifest) -> str:
    """sha256 over all that decides the answers of a version before its calibration."""
    document = {
        "weights": manifest.files[WEIGHTS].sha256,
        "architecture": manifest.architecture.model_dump(mode="json"),
        "mean": manifest.preprocessing.mean,
        "std": manifest.preprocessing.std,
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
