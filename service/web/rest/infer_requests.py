"""From the body of an infer request to the message that the service gets.

Only what JSON can get wrong is checked here: the service checks all requests alike, whichever way they came.
"""

import math
from typing import Any

from protos.inference.open_inference_pb2 import ModelInferRequest
from service.texts import quoted
from service.web.rest.binary_form import ALL_BINARY, BINARY, DATA_SIZE, Binary
from service.web.rest.json_values import (
    entries_in,
    in_words,
    is_size,
    mapping_in,
    object_in,
    put_parameters,
    text_of,
    truth_of,
    wrong,
)
from service.web.rest.tensor_data import raw_contents

__all__ = ["infer_request"]

MOST_AXES = 8
"""Numbers in a shape."""

ELSEWHERE = "shared_memory_region"
"""The parameter of an input that the request does not hold; the service says that it supports none."""


def infer_request(body: bytes, header: int | None, model: str, version: str) -> tuple[ModelInferRequest, Binary]:
    """The message of a request.

    Args:
        body: A JSON document, after which the contents of the inputs may stand in binary form.
        header: The bytes of the document, if something may follow it; None if the document is all.
        model: The name of the model.
        version: The version of the model; "" for the choice of the service.

    Raises:
        HttpError: The body is no such thing.
    """
    if header is not None and header > len(body):
        raise wrong(f"Inference-Header-Content-Length is {header:,}, but the body has {len(body):,} bytes")
    document = object_in(body if header is None else memoryview(body)[:header])
    request = ModelInferRequest(model_name=model, model_version=version)
    if (name := document.get("id")) is not None:
        request.id = text_of(name, "id")
    binary = Binary()
    if parameters := mapping_in(document, "parameters"):
        binary.every = truth_of(parameters.pop(ALL_BINARY, None), ALL_BINARY)
        put_parameters(request.parameters, parameters)
    position = len(body) if header is None else header
    for each in entries_in(document, "inputs"):
        position = _put_input(request, each, body, position)
    if position != len(body):
        raise wrong(f"{len(body) - position:,} bytes are left after the contents of the last input")
    for each in entries_in(document, "outputs"):
        output = request.outputs.add(name=text_of(each.get("name"), "the name of an output"))
        parameters = mapping_in(each, "parameters")
        if (chosen := parameters.pop(BINARY, None)) is not None:
            binary.names[output.name] = truth_of(chosen, BINARY)
        put_parameters(output.parameters, parameters)
    return request, binary


def _put_input(request: ModelInferRequest, given: dict[str, Any], body: bytes, position: int) -> int:
    """Add an input; returns where in the body the contents of the next one begin."""
    name = text_of(given.get("name"), "the name of an input")
    datatype = text_of(given.get("datatype"), f"the datatype of input {quoted(name)}")
    shape = given.get("shape")
    if type(shape) is not list or len(shape) > MOST_AXES or not all(is_size(size) for size in shape):
        raise wrong(f"input {quoted(name)}: shape must be a list of at most {MOST_AXES} whole numbers")
    tensor = request.inputs.add(name=name, datatype=datatype, shape=shape)
    parameters, data = mapping_in(given, "parameters"), given.get("data")
    size = parameters.pop(DATA_SIZE, None)
    if parameters:
        put_parameters(tensor.parameters, parameters)
    if size is not None:
        if not is_size(size):
            raise wrong(f"input {quoted(name)}: {DATA_SIZE} is {in_words(size)}, expected a number of bytes")
        if data is not None:
            raise wrong(f"input {quoted(name)} has data and {DATA_SIZE} as well; expected one of them")
        if size > len(body) - position:
            raise wrong(
                f"input {quoted(name)}: {DATA_SIZE} is {size:,}, but {len(body) - position:,} bytes are left behind "
                "the JSON (its length is in the header Inference-Header-Content-Length)"
            )
        request.raw_input_contents.append(body[position : position + size])
        return int(position + size)
    if data is not None:
        raw = raw_contents(quoted(name), datatype, shape, math.prod(shape), data)
        if raw is not None:
            request.raw_input_contents.append(raw)
    elif ELSEWHERE not in parameters:
        raise wrong(f"input {quoted(name)} has neither data nor {DATA_SIZE} in its parameters")
    return position
