"""`Course`: one training of a sweep, on disk after each epoch, so that a sweep that was killed goes on where it was."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from core.data.durable import write_whole
from pipelines.recipe import Recipe

__all__ = ["Course", "Courses", "Epoch", "State", "trial_name"]


def trial_name(number: int) -> str:
    """Of a trial's files."""
    return f"trial-{number:04}"


State = Literal["running", "complete", "pruned", "failed"]


class Epoch(BaseModel):
    """What one epoch came to: losses in nats, the accuracy from 0 to 1."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    train_loss: float
    validation_loss: float
    validation_accuracy: float


class Course(BaseModel):
    """One training.

    Attributes:
        name: Of its files.
        trial: The number of the trial, from 0.
        seed: The recipe's `train.seed`.
        overrides: What it changes in the recipe, as `--set` takes it.
        fingerprint: Of data, recipe and code; see `pipelines.provenance`.
        planned: Epochs.
        state: Pruned: ended early, because it promised little. Failed: it diverged, or makes no recipe.
        reason: Why it failed.
        epochs: Those that are done, in order.
        kept: The epoch whose weights count, from 1; 0 before the first.
        cpu_seconds: Of the processors, in all its workers. An epoch that was lost with its worker is not counted.
        weights_sha256: Of its weights, once no epoch follows.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    name: str
    trial: int
    seed: int
    overrides: tuple[str, ...]
    fingerprint: str
    planned: int
    state: State = "running"
    reason: str = ""
    epochs: tuple[Epoch, ...] = ()
    kept: int = 0
    cpu_seconds: float = 0.0
    weights_sha256: str = ""

    @classmethod
    def of(cls, name: str, trial: int, overrides: tuple[str, ...], recipe: Recipe, fingerprint: str) -> Self:
        """A training at its beginning."""
        return cls(
            name=name,
            trial=trial,
            seed=recipe.train.seed,
            overrides=overrides,
            fingerprint=fingerprint,
            planned=recipe.train.epochs,
        )

    @property
    def trained(self) -> bool:
        """Whether no epoch follows, because all are done, or it gave up by itself."""
        return bool(self.weights_sha256)

    @property
    def result(self) -> Epoch | None:
        """The epoch whose weights count; None before the first."""
        return self.epochs[self.kept - 1] if self.kept else None


class Courses:
    """The courses of a sweep, in a folder that one process works in."""

    def __init__(self, folder: Path) -> None:
        """Read what is there.

        Args:
            folder: It is made with the first course.
        """
        self._folder = folder
        self._known: dict[str, Course] = {}
        for file in sorted(folder.glob("*.json")):
            course = Course.model_validate_json(file.read_bytes())
            self._known[course.name] = course

    def get(self, name: str) -> Course | None:
        """A course, if it has begun."""
        return self._known.get(name)

    def __getitem__(self, name: str) -> Course:
        return self._known[name]

    def trials(self) -> list[Course]:
        """Those with the recipe's own seed, by their numbers; those of the finals are left out."""
        found = (course for course in self._known.values() if course.name == trial_name(course.trial))
        return sorted(found, key=lambda course: course.trial)

    def keep(self, course: Course, checkpoint: bytes | None = None) -> None:
        """Write a course down.

        Args:
            course: As it is now.
            checkpoint: Of its training, if there is a new one. It is written first: of the two, it may be newer.
        """
        if checkpoint is not None:
            write_whole(self._file(course.name, "checkpoint"), checkpoint)
        write_whole(self._file(course.name, "json"), course.model_dump_json().encode())
        self._known[course.name] = course

    def checkpoint(self, name: str) -> bytes | None:
        """The last checkpoint of a course, if it has one."""
        try:
            return self._file(name, "checkpoint").read_bytes()
        except FileNotFoundError:
            return None

    def forget_checkpoint(self, name: str) -> None:
        """Remove the checkpoint of a course that nobody goes on with."""
        self._file(name, "checkpoint").unlink(missing_ok=True)

    def _file(self, name: str, kind: str) -> Path:
        return self._folder / f"{name}.{kind}"
