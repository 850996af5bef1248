"""Open Inference Protocol: the names and shapes of the tensors that go in and come out."""

__all__ = ["DIGIT", "IMAGE", "PROBABILITIES", "SHAPES", "SHARED_MEMORY"]

IMAGE = "image"
"""The name of the input."""

PROBABILITIES, DIGIT = "probabilities", "digit"
"""The names of the outputs."""

SHAPES = {"UINT8": "[N, 784] or [N, 28, 28]", "FP32": "[N, 784] or [N, 28, 28]", "BYTES": "[N]"}
"""The datatypes that the input may have, each with its shapes, in words."""

SHARED_MEMORY = "shared_memory_region"
"""The parameter of a tensor that lies in shared memory, which this server does not support."""
