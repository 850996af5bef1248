"""Open Inference Protocol: from the tensors of a request to pictures, from probabilities to the tensors of a response.

All that can be wrong with a request is found here. Pure functions; sizes are compared before anything is allocated.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protos.inference.open_inference_pb2 import InferParameter, ModelInferRequest, ModelInferResponse
from service.errors import InferRequestError

__all__ = [
    "DIGIT",
    "IMAGE",
    "PROBABILITIES",
    "SHAPES",
    "Wanted",
    "pictures_of",
    "put_outputs",
    "wanted_of",
]

IMAGE, PROBABILITIES, DIGIT = "image", "probabilities", "digit"
"""What the input and the outputs are called."""

SIDE = 28
PIXELS = SIDE * SIDE

SHAPES = {"UINT8": "[N, 784] or [N, 28, 28]", "FP32": "[N, 784] or [N, 28, 28]", "BYTES": "[N]"}
"""Which shapes go with which datatype, in words."""

CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP16": None,  # these two have no field: they come raw alone
    "BF16": None,
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""Every datatype of the protocol, and the field for typed contents that it goes with."""

PARAMETERS = {
    "sequence_id": ("int64_param", "string_param"),
    "sequence_start": ("bool_param",),
    "sequence_end": ("bool_param",),
    "priority": ("int64_param", "uint64_param"),
    "timeout": ("int64_param",),
    "triton_enable_empty_final_response": ("bool_param",),
}
"""What existing clients may set of a request, and as which type. Here, it changes nothing."""

SHARED_MEMORY = "shared_memory_region"
CLASSIFICATION = "classification"


@dataclass(frozen=True)
class Wanted:
    """An output that a request asks for.

    Attributes:
        name: `probabilities` or `digit`.
        classes: How many of the best classes to tell in its place; 0 for the tensor itself.
    """

    name: str
    classes: int = 0


def pictures_of(request: ModelInferRequest, *, max_batch: int) -> NDArray[np.uint8] | list[bytes]:
    """What a request asks about.

    Args:
        request: As it came.
        max_batch: The largest number of pictures.

    Returns:
        Images (N, 28, 28), possibly a view of the request's bytes that cannot be written to; or N encoded pictures.

    Raises:
        InferRequestError: Its input or its parameters are not as they must be.
    """
    _check_parameters(request.parameters)
    tensor = _only_input(request.inputs)
    count = _count(tensor.datatype, list(tensor.shape), max_batch)
    raw = _raw(request)
    if tensor.datatype == "BYTES":
        return _elements(raw, count) if raw is not None else list(_typed(tensor, count))
    size = count * PIXELS
    dtype = np.dtype("<f4" if tensor.datatype == "FP32" else "u1")
    if raw is None:
        typed = np.dtype("f4" if tensor.datatype == "FP32" else "u4")
        return _bytes_of(np.fromiter(_typed(tensor, size), typed, size))
    if len(raw) != size * dtype.itemsize:
        raise InferRequestError(
            f"raw_input_contents[0]: {len(raw):,} bytes, expected {size * dtype.itemsize:,} for {tensor.datatype} "
            f"{list(tensor.shape)}"
        )
    return _bytes_of(np.frombuffer(raw, dtype))


def wanted_of(request: ModelInferRequest) -> tuple[Wanted, ...]:
    """Which outputs a request asks for, in its order; all of them where it names none.

    Raises:
        InferRequestError: It names one that is not there, or twice the same, or asks for what no output has.
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
    """Put the outputs that are wanted into a response, in their order.

    Args:
        response: Has no outputs yet.
        probabilities: (N, K).
        wanted: The outputs.
        labels: What class k is called, by k.
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


def _only_input(
    inputs: Sequence[ModelInferRequest.InferInputTensor],
) -> ModelInferRequest.InferInputTensor:
    if not inputs:
        raise InferRequestError(f"the request has no input; expected one, {IMAGE!r}")
    for tensor in inputs:
        if tensor.name != IMAGE:
            raise InferRequestError(f"unknown input {tensor.name!r}; the only input is {IMAGE!r}")
    if len(inputs) > 1:
        raise InferRequestError(f"input {IMAGE!r} comes {len(inputs)} times; expected once, with all pictures in it")
    tensor = inputs[0]
    if SHARED_MEMORY in tensor.parameters:
        raise InferRequestError(f"input {IMAGE!r} lies in shared memory, which this server does not read; send it")
    if tensor.datatype not in SHAPES:
        what = "is none that this model takes" if tensor.datatype in CONTENTS else "is unknown"
        raise InferRequestError(f"input {IMAGE!r}: datatype {tensor.datatype!r} {what}; expected {', '.join(SHAPES)}")
    return tensor


def _count(datatype: str, shape: list[int], max_batch: int) -> int:
    """How many pictures a shape announces."""
    fits = len(shape) == 1 if datatype == "BYTES" else shape[1:] in ([PIXELS], [SIDE, SIDE])
    if not fits:
        raise InferRequestError(f"input {IMAGE!r}: shape {shape}, expected {SHAPES[datatype]} for {datatype}")
    if not 1 <= shape[0] <= max_batch:
        raise InferRequestError(
            f"input {IMAGE!r}: shape {shape} announces {shape[0]:,} pictures, expected 1 to {max_batch:,}"
        )
    return shape[0]


def _raw(request: ModelInferRequest) -> bytes | None:
    """The raw contents of the only input; None where they are typed."""
    found = len(request.raw_input_contents)
    if not found:
        return None
    if found != len(request.inputs):
        raise InferRequestError(f"raw_input_contents: {found} entries, expected one for each input: 1")
    if request.inputs[0].HasField("contents"):
        raise InferRequestError(f"input {IMAGE!r} has typed contents beside raw_input_contents; expected one of them")
    return request.raw_input_contents[0]


def _typed(tensor: ModelInferRequest.InferInputTensor, size: int) -> Sequence[Any]:
    """The typed contents of an input."""
    wanted = CONTENTS[tensor.datatype]
    found = [field.name for field, _ in tensor.contents.ListFields()]
    if not found:
        raise InferRequestError(
            f"input {IMAGE!r} has no contents; expected {size:,} elements, in raw_input_contents or in {wanted}"
        )
    if found != [wanted]:
        raise InferRequestError(
            f"input {IMAGE!r}: contents in {' and '.join(found)}, expected {wanted} alone for {tensor.datatype}"
        )
    elements: Sequence[Any] = getattr(tensor.contents, found[0])
    if len(elements) != size:
        raise InferRequestError(
            f"input {IMAGE!r}: {len(elements):,} elements in {wanted}, expected {size:,} for shape {list(tensor.shape)}"
        )
    return elements


def _bytes_of(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Pixel values of any datatype as images, (N, 28, 28)."""
    images: NDArray[Any] = values.reshape(-1, SIDE, SIDE)
    if images.dtype == np.uint8:
        return images
    low, high = values.min(), values.max()  # both are NaN where any value is
    if not (low >= 0 and high <= 255):
        found = "holds NaN" if np.isnan(low) else f"ranges from {low:g} to {high:g}"
        raise InferRequestError(f"input {IMAGE!r} {found}; expected 0 (background) to 255 (ink)")
    rounded: NDArray[np.uint8] = np.rint(images).astype(np.uint8)
    return rounded


def _elements(raw: bytes, count: int) -> list[bytes]:
    """The elements of a raw BYTES tensor: each after its length in four bytes, little-endian."""
    elements, position = [], 0
    for index in range(count):
        if len(raw) - position < 4:
            raise InferRequestError(
                f"raw_input_contents[0] ends after {index:,} elements, expected {count:,}, each after its length in "
                "four bytes"
            )
        (length,) = struct.unpack_from("<I", raw, position)
        position += 4
        if length > len(raw) - position:
            raise InferRequestError(
                f"raw_input_contents[0]: element {index} announces {length:,} bytes, and {len(raw) - position:,} are "
                "left"
            )
        elements.append(raw[position : position + length])
        position += length
    if position != len(raw):
        raise InferRequestError(
            f"raw_input_contents[0]: {len(raw) - position:,} bytes after the last of {count:,} elements, expected none"
        )
    return elements


def _check_parameters(parameters: Mapping[str, InferParameter]) -> None:
    for name, parameter in parameters.items():
        kind = parameter.WhichOneof("parameter_choice")
        if name.startswith("triton_") and name not in PARAMETERS:
            raise InferRequestError(f"parameter {name!r}: names that begin with triton_ are reserved")
        if kind is None:
            raise InferRequestError(f"parameter {name!r} has no value")
        if name in PARAMETERS and kind not in PARAMETERS[name]:
            raise InferRequestError(f"parameter {name!r} is a {kind}, expected {' or '.join(PARAMETERS[name])}")


def _classes(output: ModelInferRequest.InferRequestedOutputTensor) -> int:
    if SHARED_MEMORY in output.parameters:
        raise InferRequestError(
            f"output {output.name!r} is to lie in shared memory, which this server does not write; let it be sent"
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
