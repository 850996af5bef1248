"""From the answer of the service to the body of the response."""

import struct
from typing import Any

import numpy as np

from protos.inference.open_inference_pb2 import ModelInferResponse
from service.web.rest.binary_form import DATA_SIZE, Binary
from service.web.rest.replies import Reply, of_json

__all__ = ["infer_reply", "parameters_of"]

NUMBERS = {"FP32": "<f4", "INT64": "<i8", "BOOL": "?", "UINT8": "u1"}
"""How NumPy names the datatypes of outputs, except for BYTES."""


def infer_reply(response: ModelInferResponse, binary: Binary) -> Reply:
    """The response.

    Args:
        response: The answer of the service, with raw contents.
        binary: Which outputs are wanted in binary form: their contents stand behind the JSON, in its order.
    """
    outputs: list[dict[str, Any]] = []
    behind: list[bytes] = []
    for output, raw in zip(response.outputs, response.raw_output_contents, strict=True):
        found: dict[str, Any] = {
            "name": output.name,
            "datatype": output.datatype,
            "shape": list(output.shape),
        }
        parameters = parameters_of(output.parameters) if output.parameters else {}
        if binary.names.get(output.name, binary.every):
            parameters[DATA_SIZE] = len(raw)
            behind.append(raw)
        else:
            found["data"] = _texts(raw) if output.datatype == "BYTES" else np.frombuffer(raw, NUMBERS[output.datatype])
        if parameters:
            found["parameters"] = parameters
        outputs.append(found)
    document: dict[str, Any] = {"model_name": response.model_name, "model_version": response.model_version}
    if response.id:
        document["id"] = response.id
    if response.parameters:
        document["parameters"] = parameters_of(response.parameters)
    document["outputs"] = outputs
    reply = of_json(document)
    if not behind:
        return reply
    length = b"%d" % len(reply.body)
    headers = (b"content-type", b"application/octet-stream"), (b"inference-header-content-length", length)
    return Reply(200, b"".join((reply.body, *behind)), headers)


def parameters_of(parameters: Any) -> dict[str, Any]:
    """The parameters of a message, as JSON has them."""
    return {name: getattr(value, value.WhichOneof("parameter_choice")) for name, value in parameters.items()}


def _texts(raw: bytes) -> list[str]:
    """The elements of a BYTES tensor, such as "0.998:7:7"."""
    texts, position = [], 0
    while position < len(raw):
        (length,) = struct.unpack_from("<I", raw, position)
        position += 4 + length
        texts.append(raw[position - length : position].decode(errors="replace"))
    return texts
