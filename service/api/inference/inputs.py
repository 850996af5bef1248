"""Open Inference Protocol: from the input tensor of a request to pictures.

Everything that can be wrong with an input is found here. Pure functions; sizes are compared before memory is allocated.
"""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.digit import PIXELS, SIDE
from core.errors import PictureError
from core.imaging import Corrected, corrected
from protos.inference.open_inference_pb2 import ModelInferRequest
from service.api.inference.tensors import IMAGE, SHAPES, SHARED_MEMORY
from service.errors import InferRequestError
from service.texts import quoted

__all__ = ["pictures_of"]

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
    "FP16": None,  # these two have no such field: they can only be sent raw
    "BF16": None,
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""Every datatype of the protocol, and the field that holds its typed contents."""


def pictures_of(request: ModelInferRequest, *, max_batch: int) -> Corrected | list[bytes]:
    """The pictures in a request.

    Args:
        request: The request.
        max_batch: The most pictures that it may hold.

    Returns:
        Images (N, 28, 28), possibly a view of the request's bytes that cannot be written to, and what was changed in
        them; or N encoded pictures.

    Raises:
        InferRequestError: Its input is malformed.
        PictureError: The pixels are on no certain scale or of no certain polarity, or show nothing.
    """
    tensor = _only_input(request.inputs)
    count = _count(tensor.datatype, list(tensor.shape), max_batch)
    raw = _raw(request)
    if tensor.datatype == "BYTES":
        return _elements(raw, count) if raw is not None else list(_typed(tensor, count))
    numbers = _raw_numbers(tensor, raw, count) if raw is not None else _typed_numbers(tensor, count)
    try:
        return corrected(numbers.reshape(-1, SIDE, SIDE))
    except PictureError as error:
        raise type(error)(f"input {IMAGE!r}: {error}") from error


def _only_input(
    inputs: Sequence[ModelInferRequest.InferInputTensor],
) -> ModelInferRequest.InferInputTensor:
    if not inputs:
        raise InferRequestError(f"the request has no input; expected one, {IMAGE!r}")
    for tensor in inputs:
        if tensor.name != IMAGE:
            raise InferRequestError(f"unknown input {quoted(tensor.name)}; the only input is {IMAGE!r}")
    if len(inputs) > 1:
        raise InferRequestError(f"input {IMAGE!r} occurs {len(inputs)} times; expected once, with all pictures in it")
    tensor = inputs[0]
    if SHARED_MEMORY in tensor.parameters:
        raise InferRequestError(
            f"input {IMAGE!r} is in shared memory, which this server does not support; send its contents"
        )
    if tensor.datatype not in SHAPES:
        what = "is not supported by this model" if tensor.datatype in CONTENTS else "is unknown"
        raise InferRequestError(
            f"input {IMAGE!r}: datatype {quoted(tensor.datatype)} {what}; expected {', '.join(SHAPES)}"
        )
    return tensor


def _count(datatype: str, shape: list[int], max_batch: int) -> int:
    """The number of pictures that a shape announces."""
    fits = len(shape) == 1 if datatype == "BYTES" else shape[1:] in ([PIXELS], [SIDE, SIDE])
    if not fits:
        raise InferRequestError(f"input {IMAGE!r}: shape {_short(shape)}, expected {SHAPES[datatype]} for {datatype}")
    if not 1 <= shape[0] <= max_batch:
        raise InferRequestError(
            f"input {IMAGE!r}: shape {shape} announces {shape[0]:,} pictures, expected 1 to {max_batch:,}"
        )
    return shape[0]


def _short(shape: list[int]) -> str:
    """A shape for a message; of one with thousands of dimensions, the first."""
    return str(shape) if len(shape) <= 8 else f"[{', '.join(map(str, shape[:8]))}, …] of {len(shape):,} dimensions"


def _raw(request: ModelInferRequest) -> bytes | None:
    """The raw contents of the only input; None if it has typed contents."""
    found = len(request.raw_input_contents)
    if not found:
        return None
    if found != len(request.inputs):
        raise InferRequestError(f"raw_input_contents: {found} entries, expected one for each input: 1")
    if request.inputs[0].HasField("contents"):
        raise InferRequestError(
            f"input {IMAGE!r} has typed contents as well as raw_input_contents; expected one of them"
        )
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


def _typed_numbers(tensor: ModelInferRequest.InferInputTensor, count: int) -> NDArray[Any]:
    """The typed contents of a tensor of pixels, float32 or uint8."""
    elements = _typed(tensor, count * PIXELS)
    if tensor.datatype == "FP32":
        return np.fromiter(elements, np.float32, len(elements))
    numbers = np.fromiter(elements, np.uint32, len(elements))  # the protocol sends each UINT8 in four bytes
    if numbers.max() > 255:
        raise InferRequestError(f"input {IMAGE!r} ranges from {numbers.min()} to {numbers.max()}; UINT8 ends at 255")
    return numbers.astype(np.uint8)


def _raw_numbers(tensor: ModelInferRequest.InferInputTensor, raw: bytes, count: int) -> NDArray[Any]:
    """The raw contents of a tensor of pixels, float32 or uint8."""
    dtype = np.dtype("<f4" if tensor.datatype == "FP32" else "u1")
    size = count * PIXELS * dtype.itemsize
    if len(raw) != size:
        raise InferRequestError(
            f"raw_input_contents[0]: {len(raw):,} bytes, expected {size:,} for {tensor.datatype} {list(tensor.shape)}"
        )
    return np.frombuffer(raw, dtype)


def _elements(raw: bytes, count: int) -> list[bytes]:
    """The elements of a raw BYTES tensor: each follows its length in four bytes, little-endian."""
    elements, position = [], 0
    for index in range(count):
        if len(raw) - position < 4:
            raise InferRequestError(
                f"raw_input_contents[0] ends after {index:,} elements, expected {count:,}, each preceded by its "
                "length in four bytes"
            )
        (length,) = struct.unpack_from("<I", raw, position)
        position += 4
        if length > len(raw) - position:
            raise InferRequestError(
                f"raw_input_contents[0]: element {index} announces {length:,} bytes, but {len(raw) - position:,} are "
                "left"
            )
        elements.append(raw[position : position + length])
        position += length
    if position != len(raw):
        raise InferRequestError(
            f"raw_input_contents[0]: {len(raw) - position:,} bytes after the last of {count:,} elements, expected none"
        )
    return elements
