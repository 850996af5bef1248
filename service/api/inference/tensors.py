"""Open Inference Protocol: the names and shapes of the tensors that go in and come out."""

from typing import NamedTuple

from service.loaded import Loaded

__all__ = [
    "DIGIT",
    "DIGITNESS",
    "IMAGE",
    "PROBABILITIES",
    "REJECTED",
    "SHAPES",
    "SHARED_MEMORY",
    "Output",
    "outputs_of",
]

IMAGE = "image"
"""The name of the input."""

PROBABILITIES, DIGIT, DIGITNESS, REJECTED = "probabilities", "digit", "digitness", "rejected"
"""The names of the outputs; the last two are those of versions that can refuse an image."""

SHAPES = {"UINT8": "[N, 784] or [N, 28, 28]", "FP32": "[N, 784] or [N, 28, 28]", "BYTES": "[N]"}
"""The datatypes that the input may have, each with its shapes, in words."""

SHARED_MEMORY = "shared_memory_region"
"""The parameter of a tensor that lies in shared memory, which this server does not support."""


class Output(NamedTuple):
    """An output tensor.

    Attributes:
        name: Its name.
        datatype: Its datatype, as the protocol names it.
        dims: Its shape, without the axis of the images.
    """

    name: str
    datatype: str
    dims: tuple[int, ...] = ()


def outputs_of(loaded: Loaded) -> tuple[Output, ...]:
    """The outputs of a version. Those of a version that cannot refuse an image are as they always were."""
    outputs = (Output(PROBABILITIES, "FP32", (len(loaded.manifest.labels),)), Output(DIGIT, "INT64"))
    if loaded.manifest.rejection is None:
        return outputs
    return (*outputs, Output(DIGITNESS, "FP32"), Output(REJECTED, "BOOL"))
