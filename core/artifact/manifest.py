"""The manifest: everything that is known about one version, as JSON. It is written last and makes the version exist.

It holds the digests of the version's other files, and one of itself: see `core.artifact.sealed`.
"""

import hashlib
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from core.artifact.fields import Count, Digest, FileName, Line, Moment, Name, Options, Part, VersionNumber
from core.artifact.golden import Golden
from core.artifact.measured import Calibration, HeldOutAccuracy, Metrics, Rejection, RejectionMetrics, Robustness, Share
from core.artifact.origin import CodeProvenance, DataProvenance, Environment
from core.artifact.sealed import opened, sealed
from core.artifact.signature import Signature, TensorSpec
from core.artifact.spread import Spread
from core.artifact.verdict import Check, Slice, Verdict
from core.digit import LABELS
from core.errors import ManifestError

__all__ = [
    "MANIFEST",
    "SCHEMA_VERSION",
    "WEIGHTS",
    "Architecture",
    "Calibration",
    "Check",
    "FileEntry",
    "Golden",
    "HeldOutAccuracy",
    "Manifest",
    "Metrics",
    "Preprocessing",
    "Rejection",
    "RejectionMetrics",
    "Robustness",
    "Share",
    "Signature",
    "Slice",
    "Spread",
    "TensorSpec",
    "Verdict",
]

SCHEMA_VERSION = 1
WEIGHTS = "weights.safetensors"
MANIFEST = "manifest.json"

_LONGEST_PLACE = 80
"""Characters of a field's place that an error repeats, as the file chooses the names of some fields."""


class FileEntry(Part):
    """Size and digest of one file of the version."""

    sha256: Digest
    size: Count

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Describe these bytes."""
        return cls(sha256=hashlib.sha256(data).hexdigest(), size=len(data))


class Architecture(Part):
    """Enough to rebuild the network: see `core.nn.architectures.build`."""

    input_shape: tuple[Annotated[int, Field(ge=1, le=2**16)], ...] = Field(min_length=1, max_length=3)
    layers: tuple[Options, ...] = Field(min_length=1, max_length=1000)
    parameter_count: Count


class Preprocessing(Part):
    """How a user's picture becomes the network's input; mean and std are in pixel units, 0 to 255."""

    mean: float = Field(ge=0, le=255)
    std: float = Field(ge=1e-3, le=255)
    framing: Options


class Manifest(Part):
    """Everything that is known about one version."""

    schema_version: Literal[1] = 1
    name: Name
    version: VersionNumber
    created: Moment
    fingerprint: Digest = Field(description="sha256 over data, recipe and code: equal where nothing has changed.")
    files: dict[FileName, FileEntry] = Field(max_length=100)
    architecture: Architecture
    signature: Signature = Signature()
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    data: DataProvenance
    spread: Spread | None = Field(None, description="None in older versions.")
    recipe_name: Name
    recipe: Options
    code: CodeProvenance
    environment: Environment
    validation: Metrics
    test: Metrics
    calibration: Calibration = Calibration()
    rejection: Rejection | None = Field(None, description="None in versions that take every image for a digit.")
    rejection_metrics: RejectionMetrics | None = Field(None, description="None in the same versions.")
    robustness: dict[Line, Robustness] = Field({}, description="By the corruption's name; empty in older versions.")
    held_out: dict[Line, HeldOutAccuracy] = Field({}, max_length=1000, description="On held-out new data, by source.")
    verdict: Verdict
    golden: Golden

    @field_validator("files")
    @classmethod
    def _with_weights(cls, files: dict[str, FileEntry]) -> dict[str, FileEntry]:
        if WEIGHTS not in files or MANIFEST in files:
            raise ValueError(f"expected {WEIGHTS} among the files, and not {MANIFEST}")
        return files

    @field_validator("labels")
    @classmethod
    def _digits(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        if labels != LABELS:
            raise ValueError(f"expected the ten digits, {', '.join(LABELS)}")
        return labels

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.signature != Signature.of(self.rejection):
            raise ValueError("the signature is not that of a version with this rejection")
        if {len(row) for row in self.golden.probabilities} != {len(LABELS)}:
            raise ValueError(f"golden probabilities that are not {len(LABELS)} an image")
        if self.spread is not None and len(self.spread.label_shares) != len(LABELS):
            raise ValueError(f"a spread over {len(self.spread.label_shares)} labels, expected {len(LABELS)}")
        return self

    def encode(self) -> bytes:
        """The bytes of the file: indented JSON, UTF-8, with its digest as the last field."""
        return sealed(self.model_dump(mode="json"))

    @classmethod
    def decode(cls, data: bytes, *, name: str = "manifest") -> Self:
        """Parse and validate the bytes of a manifest.

        Raises:
            ManifestError: Not JSON, of another schema version, with fields that are missing or impossible, or not what
                was written.
        """
        try:
            return cls.model_validate(opened(data, known=cls.model_fields))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])[:_LONGEST_PLACE] or "the document"
            finding = f"{first['msg'].removeprefix('Value error, ')} (the first of {error.error_count()} findings)"
        except ValueError as error:
            place, finding = "the document", str(error)
        raise ManifestError(f"{name}: {place}: {finding}; expected a manifest of schema version {SCHEMA_VERSION}")
