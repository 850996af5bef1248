"""Where a version comes from, as its manifest records it: data, code and machine."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A sha256, in hexadecimal."""


class Part(BaseModel):
    """Frozen. Fields that a newer Numeral has added within the same schema version are ignored.

    NaN and infinity are refused, because JSON has no numbers for them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class FeedbackProvenance(Part):
    """Pictures that users sent with their digits, and that were trained on in addition to the data set."""

    images: int = Field(ge=1)
    sha256: Digest = Field(description="Of all of them, in the order in which they were added.")


class StylesProvenance(Part):
    """Images drawn by code that were trained on in addition to the data set; see `core.drawing`."""

    digits: int = Field(ge=0, description="How many show a digit, in writing styles that the data set lacks.")
    others: int = Field(ge=0, description="How many show no digit.")
    seed: int
    sha256: Digest = Field(description="Of all of them, in the order in which they were added.")


class DataProvenance(Part):
    """The data that the version was trained and measured on."""

    files: dict[str, Digest]
    train_images: int
    validation_images: int
    test_images: int
    split_seed: int
    license: str
    feedback: FeedbackProvenance | None = Field(None, description="None if there was no feedback to learn from.")
    styles: StylesProvenance | None = Field(None, description="None if no drawn images were trained on.")


class CodeProvenance(Part):
    """The code that made the version; commit and dirty are None outside a git checkout."""

    commit: str | None
    dirty: bool | None
    sources_sha256: Digest


class Environment(Part):
    """The software and the machine that trained the version."""

    python: str
    numpy: str
    blas: str
    cpu: str
    threads: int
