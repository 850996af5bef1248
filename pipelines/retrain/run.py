"""`Run`: what every step of one retraining is handed."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from pipelines import provenance
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef


class Run(BaseModel):
    """One retraining. It holds references and settings, so that each step can be run, tested and retried alone.

    Attributes:
        dataset: What to train on and to test with.
        recipe: With its overrides applied.
        fingerprint: Of data, recipe and code: a version with the same fingerprint has the same weights.
        work: Folder for the steps' results, named after the fingerprint: a run that was interrupted finds them again.
    """

    model_config = ConfigDict(frozen=True)

    dataset: DatasetRef
    recipe: Recipe
    fingerprint: str
    work: Path

    @classmethod
    def of(cls, dataset: DatasetRef, recipe: Recipe, data_dir: Path) -> Self:
        """The run that trains `recipe` on `dataset`, with its results below `data_dir`."""
        fingerprint = provenance.fingerprint(dataset.deciding, recipe)
        return cls(dataset=dataset, recipe=recipe, fingerprint=fingerprint, work=data_dir / "work" / fingerprint[:16])
