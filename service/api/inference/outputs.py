"""Open Inference Protocol: the outputs that a request asks for, and from probabilities to their tensors."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protos.inference.open_inference_pb2 import ModelInferRequest, ModelInferResponse
from service.api.inference.tensors import DIGIT, PROBABILITIES, SHARED_MEMORY
from service.errors import InferRequestError

__all__ = ["Wanted", "put_outputs", "wanted_of"]

CLASSIFICATION = "classification"
"""The parameter of an output that asks for the best classes in place of the tensor."""


@dataclass(frozen=True)
class Wanted:
    """An output that a request asks for.

    Attributes:
        name: `probabilities` or `digit`.
        classes: How many of the best classes to return in place of the tensor; 0 for the tensor itself.
    """

    name: str
    classes: int = 0


def wanted_of(request: ModelInferRequest) -> tuple[Wanted, ...]:
    """The outputs that a request asks for, in its order; all of them if it names none.

    Raises:
        InferRequestError: It names an unknown output, or one twice, or asks for something that no output offers.
    """
    if not request.outputs:
        return (Wanted(PROBABILITIES), Wanted(DIGIT))
    names = [output.name for output in request.outputs]
    for name in names:
        if name not in (PROBABILITIES, DIGIT):
            raise InferRequestError(f"unknown output {name!r}; the outputs are {PROBABILITIES!r} and {DIGIT!r}")
        if names.count(name) > 1:
            raise InferRequestError(f"output {name!r} is requested {names.count(name)} times; once is enough")
    return tuple(Wanted(output.name, _classes(output)) for output in request.outputs)


def put_outputs(
    response: ModelInferResponse, probabilities: NDArray[np.float32], wanted: Sequence[Wanted], labels: Sequence[str]
) -> None:
    """Add the wanted outputs to a response, in their order.

    Args:
        response: A response without outputs.
        probabilities: (N, K).
        wanted: The outputs.
        labels: The names of the K classes.
    """
    for output in wanted:
        if output.classes:
            names = _best(probabilities, output.classes, labels)  # (N, k)
            raw = b"".join(struct.pack("<I", len(name)) + name for row in names for name in row)
            datatype, shape = "BYTES", (len(names), len(names[0]))
        elif output.name == PROBABILITIES:
            datatype, shape = "FP32", probabilities.shape
            raw = np.ascontiguousarray(probabilities, "<f4").tobytes()
        else:
            datatype, shape = "INT64", probabilities.shape[:1]
            raw = probabilities.argmax(axis=1).astype("<i8").tobytes()
        response.outputs.add(name=output.name, datatype=datatype, shape=shape)
        response.raw_output_contents.append(raw)


def _classes(output: ModelInferRequest.InferRequestedOutputTensor) -> int:
    if SHARED_MEMORY in output.parameters:
        raise InferRequestError(
            f"output {output.name!r} is requested in shared memory, which this server does not support; request its "
            "contents"
        )
    if CLASSIFICATION not in output.parameters:
        return 0
    parameter = output.parameters[CLASSIFICATION]
    if output.name != PROBABILITIES:
        raise InferRequestError(f"output {output.name!r} has no classes; {CLASSIFICATION} goes with {PROBABILITIES!r}")
    if parameter.WhichOneof("parameter_choice") != "int64_param" or parameter.int64_param < 1:
        raise InferRequestError(f"output {output.name!r}: {CLASSIFICATION} must be an int64_param of at least 1")
    return parameter.int64_param


def _best(probabilities: NDArray[np.float32], classes: int, labels: Sequence[str]) -> list[list[bytes]]:
    """The best classes of each row, as "probability:index:label"."""
    ranked = np.argsort(-probabilities, axis=1, kind="stable")[:, :classes]  # (N, k)
    return [
        [f"{row[index]:f}:{index}:{labels[index]}".encode() for index in order]
        for row, order in zip(probabilities, ranked, strict=True)
    ]
