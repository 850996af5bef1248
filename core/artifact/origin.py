"""Where a version comes from, as its manifest records it: data, code and machine."""

from typing import Annotated

from pydantic import Field

from core.artifact.fields import Count, Digest, FileName, Fraction, Line, Part, VersionNumber
from core.artifact.trusted import Trusted, Validated
from core.digit import LABELS

_Seed = Annotated[int, Field(ge=0, lt=2**64)]
_PerDigit = Annotated[tuple[Count, ...], Field(min_length=len(LABELS), max_length=len(LABELS))]
_Commit = Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}$")]


class FeedbackProvenance(Part):
    """Pictures that users sent with their digits, and that were trained on in addition to the data set."""

    images: int = Field(ge=1, le=2**40)
    sha256: Digest = Field(description="Of all of them, in the order in which they were added.")


class NewDataSource(Part):
    """A folder of new data, and what was found there."""

    source: Line = Field(description="A word and the folder, such as: extra /data/extra")
    digits: _PerDigit = Field(description="How many pictures of each digit were trained on.")
    held_out: _PerDigit = Field(description="How many of each were not, but measured.")
    set_aside: Count = Field(description="What could not be read, or was contradicted.")
    known: Count = Field(description="Pictures of the data set itself, which were left out.")
    repeated: Count = Field(description="Items that were found before, in this source or in an earlier one.")
    sha256: Digest = Field(description="Of the names of its items, sorted, a line each.")


class NewDataProvenance(Part):
    """Labeled pictures, from folders and from users, that were looked at in addition to the data set."""

    images: Count = Field(description="How many were trained on.")
    sha256: Digest | None = Field(description="Of all of these, in the order in which they were added; None if none.")
    held_out_images: Count = Field(description="How many were held out, and measured.")
    held_out_sha256: Digest | None = Field(description="Of all of these, a source after another; None if none.")
    sources: tuple[NewDataSource, ...] = Field(max_length=1000)


class StylesProvenance(Part):
    """Images drawn by code that were trained on in addition to the data set; see `core.drawing`."""

    digits: Count = Field(description="How many show a digit, in writing styles that the data set lacks.")
    others: Count = Field(description="How many show no digit.")
    seed: _Seed
    sha256: Digest = Field(description="Of all of them, in the order in which they were added.")


class TeacherProvenance(Part):
    """A published version whose answers were learned beside the labels; see `core.nn.distillation`."""

    version: VersionNumber
    recipe_name: Line
    test_accuracy: Fraction
    weights_sha256: Digest
    sha256: Digest = Field(description="Of all that decides its answers: weights, structure and normalization.")


class DataProvenance(Part):
    """The data that the version was trained and measured on."""

    files: dict[FileName, Digest]
    train_images: Count
    validation_images: Count
    test_images: Count
    split_seed: _Seed
    license: Line
    feedback: FeedbackProvenance | None = Field(None, description="In older versions; newer ones have `new_data`.")
    new_data: NewDataProvenance | None = Field(None, description="None if no folder of new data was named.")
    styles: StylesProvenance | None = Field(None, description="None if no drawn images were trained on.")
    trusted: Trusted | None = Field(None, description="None if no new pictures were offered, and in older versions.")
    validated: Validated | None = Field(None, description="None in older versions.")
    teacher: TeacherProvenance | None = Field(None, description="None if the labels alone were learned.")


class CodeProvenance(Part):
    """The code that made the version; commit and dirty are None outside a git checkout."""

    commit: _Commit | None
    dirty: bool | None
    sources_sha256: Digest


class Environment(Part):
    """The software and the machine that trained the version."""

    python: Line
    numpy: Line
    blas: Line
    cpu: Line
    threads: Count
