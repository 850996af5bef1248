"""Open Inference Protocol: the outputs that a request asks for, and from answers to their tensors."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imaging import Corrected
from core.inference.answers import Answers
from protos.inference.open_inference_pb2 import ModelInferRequest, ModelInferResponse
from service.api.inference.tensors import DIGIT, DIGITNESS, PROBABILITIES, REJECTED, SHARED_MEMORY, outputs_of
from service.errors import InferRequestError
from service.recognition.answer import Answer
from service.texts import quoted

__all__ = ["Wanted", "put_changes", "put_outputs", "wanted_of"]

CLASSIFICATION = "classification"
"""The parameter of an output that asks for the best classes in place of the tensor."""


TENSORS: dict[str, Callable[[Answers], NDArray[Any]]] = {
    PROBABILITIES: lambda rows: np.ascontiguousarray(rows.probabilities, "<f4"),
    DIGIT: lambda rows: rows.probabilities.argmax(axis=1).astype("<i8"),
    DIGITNESS: lambda rows: np.ascontiguousarray(rows.digitness, "<f4"),
    REJECTED: lambda rows: np.ascontiguousarray(rows.rejected, "?"),
}
"""The contents of each output."""


@dataclass(frozen=True)
class Wanted:
    """An output that a request asks for.

    Attributes:
        name: Its name; one of `TENSORS`.
        classes: How many of the best classes to return in place of the tensor; 0 for the tensor itself.
    """

    name: str
    classes: int = 0


def wanted_of(request: ModelInferRequest) -> tuple[Wanted, ...]:
    """The outputs that a request asks for, in its order; none if it leaves that to the version.

    Raises:
        InferRequestError: It names an unknown output, or one twice, or asks for something that no output offers.
    """
    names = [output.name for output in request.outputs]
    for name in names:
        if name not in TENSORS:
            raise InferRequestError(
                f"unknown output {quoted(name)}; the outputs are {PROBABILITIES!r}, {DIGIT!r} and, of a version that "
                f"can refuse an image, {DIGITNESS!r} and {REJECTED!r}"
            )
        if names.count(name) > 1:
            raise InferRequestError(f"output {name!r} is requested {names.count(name)} times; once is enough")
    return tuple(Wanted(output.name, _classes(output)) for output in request.outputs)


def put_outputs(response: ModelInferResponse, answer: Answer, wanted: Sequence[Wanted]) -> None:
    """Add the wanted outputs to a response, in their order; if none is named, all outputs of the version.

    Args:
        response: A response without outputs.
        answer: The answer to N images.
        wanted: The outputs.

    Raises:
        InferRequestError: One of them is not an output of the version that has answered.
    """
    offered = {output.name: output for output in outputs_of(answer.loaded)}
    for output in wanted or map(Wanted, offered):
        name = output.name
        if name not in offered:
            raise InferRequestError(
                f"{answer.loaded.words} has no output {name!r}, because it cannot refuse an image; request "
                f"{' and '.join(map(repr, offered))} from it"
            )
        if output.classes:
            best = _best(answer.rows.probabilities, output.classes, answer.loaded.manifest.labels)  # (N, k)
            raw = b"".join(struct.pack("<I", len(one)) + one for row in best for one in row)
            datatype, shape = "BYTES", [len(best), len(best[0])]
        else:
            raw = TENSORS[name](answer.rows).tobytes()
            datatype, shape = offered[name].datatype, [len(answer.rows), *offered[name].dims]
        response.outputs.add(name=name, datatype=datatype, shape=shape)
        response.raw_output_contents.append(raw)


def put_changes(response: ModelInferResponse, pictures: Corrected) -> None:
    """Tell the client how many of its images were scaled or inverted, if any were: it may have meant something else."""
    if pictures.scaled:
        response.parameters["pixels_scaled"].int64_param = pictures.scaled
    if pictures.inverted:
        response.parameters["pixels_inverted"].int64_param = pictures.inverted


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
