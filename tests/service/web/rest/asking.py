"""Requests to the REST half, as tests write them."""

import json
from typing import Any

import numpy as np

from tests.patience import eventually
from tests.service.web.web_harness import WebServer

INFER = "/v2/models/mnist/infer"


def asked(server: WebServer, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """The status, and the document; a body that is no text and no bytes is sent as JSON, `_` in headers is `-`."""
    if body is not None and not isinstance(body, bytes | str):
        body = json.dumps(body)
    response, content = server.ask(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
    return response.status, json.loads(content) if content else None


def pixels_request(pixels: np.ndarray, **more: Any) -> dict[str, Any]:
    """A request about images (N, 28, 28) or (N, 784), as JSON."""
    datatype = "UINT8" if pixels.dtype == np.uint8 else "FP32"
    tensor = {"name": "image", "datatype": datatype, "shape": list(pixels.shape), "data": pixels.ravel().tolist()}
    return {"inputs": [tensor]} | more


def binary_request(pixels: np.ndarray, **parameters: Any) -> tuple[bytes, dict[str, str]]:
    """The same in binary form: the body, and the header that belongs to it."""
    tensor = {
        "name": "image",
        "datatype": "UINT8",
        "shape": list(pixels.shape),
        "parameters": {"binary_data_size": pixels.nbytes},
    }
    document = json.dumps({"inputs": [tensor], "parameters": parameters}).encode()
    return document + pixels.tobytes(), {"Inference-Header-Content-Length": str(len(document))}


def output(document: dict[str, Any], name: str) -> Any:
    """The data of an output."""
    return next(each["data"] for each in document["outputs"] if each["name"] == name)


def load(server: WebServer, version: int) -> None:
    """Load a version, once the service has seen that it was published."""
    request = {"parameters": {"version": str(version)}}
    eventually(lambda: asked(server, "POST", "/v2/repository/models/mnist/load", request)[0] == 200)
