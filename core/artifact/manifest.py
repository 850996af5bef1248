"""The manifest: everything that is known about one version, as JSON. It is written last and makes the version exist."""

import base64
import hashlib
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, PlainSerializer, ValidationError

from core.artifact.origin import CodeProvenance, DataProvenance, Digest, Environment, Part
from core.digit import PIXELS, SIDE
from core.errors import ManifestError

SCHEMA_VERSION = 1
WEIGHTS = "weights.safetensors"
MANIFEST = "manifest.json"

Base64Bytes = Annotated[
    bytes,
    BeforeValidator(lambda v: base64.b64decode(v, validate=True) if isinstance(v, str) else v),
    PlainSerializer(lambda v: base64.b64encode(v).decode(), when_used="json"),
]


class FileEntry(Part):
    """Size and digest of one file of the version."""

    sha256: Digest
    size: int = Field(ge=0)

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Describe these bytes."""
        return cls(sha256=hashlib.sha256(data).hexdigest(), size=len(data))


class Architecture(Part):
    """Enough to rebuild the network: see `core.nn.architectures.build`."""

    input_shape: tuple[int, ...]
    layers: tuple[dict[str, Any], ...]
    parameter_count: int


class TensorSpec(Part):
    """One input or output of the model, in the terms of the Open Inference Protocol; −1 is the batch axis."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class Signature(Part):
    """The inputs and outputs of the model."""

    inputs: tuple[TensorSpec, ...] = (TensorSpec(name="image", datatype="UINT8", shape=(-1, PIXELS)),)
    outputs: tuple[TensorSpec, ...] = (
        TensorSpec(name="probabilities", datatype="FP32", shape=(-1, 10)),
        TensorSpec(name="digit", datatype="INT64", shape=(-1,)),
    )

    @classmethod
    def of(cls, rejection: "Rejection | None") -> Self:
        """That of a version with this rejection, whose outputs also say whether there is a digit."""
        plain = cls()
        if rejection is None:
            return plain
        digitness = TensorSpec(name="digitness", datatype="FP32", shape=(-1,))
        rejected = TensorSpec(name="rejected", datatype="BOOL", shape=(-1,))
        return cls(outputs=(*plain.outputs, digitness, rejected))


class Preprocessing(Part):
    """How a user's picture becomes the network's input; mean and std are in pixel units, 0 to 255."""

    mean: float
    std: float = Field(gt=0)
    framing: dict[str, Any]


class Spread(Part):
    """The distribution of the training images, with which a service compares what it receives: `core.artifact.spread`.

    Each feature's values are sorted into bins: bin k holds those above edge k − 1, up to and including edge k.
    """

    count: int = Field(ge=1, description="The number of images.")
    edges: tuple[tuple[float, ...], ...] = Field(description="For each feature, ascending.")
    shares: tuple[tuple[float, ...], ...] = Field(description="The share of the images in each bin of each feature.")
    label_shares: tuple[float, ...] = Field(description="The share of the images with each label.")


class Metrics(Part):
    """Measures on one set of images; see `core.measure.evaluate.Evaluation`."""

    count: int
    accuracy: float
    interval: tuple[float, float]
    loss: float
    calibration_error: float
    raw_calibration_error: float | None = Field(None, description="At temperature 1; None in versions without one.")
    per_class: tuple[float, ...]
    per_class_intervals: tuple[tuple[float, float], ...] = ()


class Calibration(Part):
    """What the logits are divided by before softmax; see `core.measure.calibration`. Older versions have 1."""

    temperature: float = Field(1.0, gt=0)


class Rejection(Part):
    """When a version says that an image shows no digit; see `core.measure.rejection`.

    With the energy score E = log Σ_k exp(z_k) of the logits z, the digitness of an image, which is the probability
    that it shows a digit at all, is 1 / (1 + exp(−(scale · E + offset))).
    """

    scale: float = Field(gt=0)
    offset: float
    threshold: float = Field(gt=0, lt=1, description="An image with a lower digitness is rejected.")


class Share(Part):
    """The share of some images of which something holds, with its 95% interval."""

    count: int = Field(description="How many images were looked at.")
    share: float
    interval: tuple[float, float]


class RejectionMetrics(Part):
    """Which shares of images are rejected that had no influence on any choice; see `core.measure.rejection`."""

    digits: Share = Field(description="Of the test images, which should not be rejected.")
    drawn_digits: Share | None = Field(None, description="Of drawn digits; None if none were trained on.")
    others: Share = Field(description="Of drawn images that show no digit, which should be.")


class Robustness(Part):
    """The accuracy on corrupted test images; see `core.measure.corruptions`."""

    description: str
    count: int
    accuracy: float
    interval: tuple[float, float]


class Verdict(Part):
    """Whether the version may become champion, and why."""

    promote: bool
    reason: str
    parent: int | None = Field(description="The champion that the version was compared with.")


class Golden(Part):
    """Inputs and the probabilities that the trainer computed for them, which every load must reproduce."""

    images: Base64Bytes
    probabilities: tuple[tuple[float, ...], ...]
    tolerance: float = 1e-4

    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Images (G, 28, 28) uint8 and probabilities (G, K) float32.

        Raises:
            ManifestError: The two do not match.
        """
        if len({len(row) for row in self.probabilities}) != 1:
            raise ManifestError("golden: rows of probabilities that differ in length, or none; expected one an image")
        probabilities = np.asarray(self.probabilities, np.float32)
        if len(self.images) != len(probabilities) * PIXELS:
            raise ManifestError(
                f"golden: {len(self.images)} bytes of images for {len(probabilities)} outputs, "
                f"expected {PIXELS} bytes each"
            )
        return np.frombuffer(self.images, np.uint8).reshape(-1, SIDE, SIDE), probabilities


class Manifest(Part):
    """Everything that is known about one version."""

    schema_version: Literal[1] = 1
    name: str
    version: int = Field(ge=1)
    created: datetime
    fingerprint: Digest = Field(description="sha256 over data, recipe and code: equal where nothing has changed.")
    files: dict[str, FileEntry]
    architecture: Architecture
    signature: Signature = Signature()
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    data: DataProvenance
    spread: Spread | None = Field(None, description="None in older versions.")
    recipe_name: str
    recipe: dict[str, Any]
    code: CodeProvenance
    environment: Environment
    validation: Metrics
    test: Metrics
    calibration: Calibration = Calibration()
    rejection: Rejection | None = Field(None, description="None in versions that take every image for a digit.")
    rejection_metrics: RejectionMetrics | None = Field(None, description="None in the same versions.")
    robustness: dict[str, Robustness] = Field({}, description="By the corruption's name; empty in older versions.")
    verdict: Verdict
    golden: Golden

    def encode(self) -> bytes:
        """The bytes of the file: indented JSON, UTF-8."""
        return self.model_dump_json(indent=2).encode()

    @classmethod
    def decode(cls, data: bytes, *, name: str = "manifest") -> Self:
        """Parse and validate the bytes of a manifest.

        Raises:
            ManifestError: Not JSON, of another schema version, or with fields that are missing or impossible.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the document"
            raise ManifestError(
                f"{name}: {place}: {first['msg']} (the first of {error.error_count()} findings); "
                f"expected a manifest of schema version {SCHEMA_VERSION}"
            ) from error
