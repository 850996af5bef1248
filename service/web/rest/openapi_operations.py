"""What each operation is for, takes and gives: a part of the OpenAPI document."""

from dataclasses import dataclass, field
from typing import Any

from service.web.rest.openapi_schemas import reference

__all__ = ["DESCRIBED", "ERRORS", "Described", "errors_of"]

PIXELS = [[255 if 4 <= row < 24 and 13 <= column < 15 else 0 for column in range(28)] for row in range(28)]
"""A 1, as rows of pixels."""

PNG = "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAGUlEQVR42mNgGGjw/z8Klwmf2lHJUcmBAwCNaAIlq35pDgAAAABJRU5ErkJggg=="
"""The same as a PNG, in base64."""

ERRORS: dict[int, str] = {
    400: "The request is malformed, or its picture cannot be read; the sentence says what is wrong.",
    401: "The request has no token, or an unknown one.",
    403: "The token does not permit this, or the page of another site sends the request.",
    404: "There is no such address, model or version.",
    405: "The address takes another method; the header Allow names it.",
    408: "The body arrives too slowly.",
    413: "The body or its picture is too large.",
    415: "The body is a form, or compressed in an unknown way.",
    421: "The web server is asked by a name that it does not answer to.",
    429: "The service has too much to do, or the token is over its quota; Retry-After says when to call again.",
    500: "Anything unforeseen; the log of the web server says what.",
    501: "The service is older than the web server, and has no such method.",
    503: "The service cannot be reached, or is not ready.",
    504: "The service gave no answer in time.",
}
"""What each status of an error means. All have the same body."""

GETS = (400, 401, 403, 404, 405, 421, 429, 500, 501, 503, 504)
POSTS = (*GETS, 408, 413, 415)


@dataclass(frozen=True)
class Described:
    """What is said of an operation.

    Attributes:
        tag: The group that it is in.
        summary: What it does, in a few words.
        description: The same in full.
        answers: The schema of the response by its media type; none for an empty body.
        takes: The content of the request by its media type, as OpenAPI has it.
        needs_body: Whether a request without a body is refused.
    """

    tag: str
    summary: str
    description: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    takes: dict[str, Any] = field(default_factory=dict)
    needs_body: bool = False


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": reference(name)}}


def _takes(name: str, **examples: Any) -> dict[str, Any]:
    values = {title: {"value": value} for title, value in examples.items()}
    return {"application/json": {"schema": reference(name), "examples": values}}


_BINARY: dict[str, Any] = {"schema": {"description": "Bytes."}}

DESCRIBED: dict[str, Described] = {
    "infer": Described(
        "recognize",
        "Which digits do pictures show?",
        "There are three ways to ask.\n"
        "\n"
        "- **A picture** as the body, with its type or none: one small answer.\n"
        "- **JSON**: any number of pictures, as pixels or in base64.\n"
        "- **Binary**: the same JSON, behind which the contents of the inputs stand as they are. The header "
        "`Inference-Header-Content-Length` says how many bytes the JSON has, and the parameter `binary_data_size`"
        " of an input how many its contents have. Outputs come in binary form likewise, if the parameter "
        "`binary_data_output` of the request or `binary_data` of an output asks for it.\n"
        "\n"
        "Requests may be compressed (`Content-Encoding: gzip` or `deflate`), and so are responses to whoever "
        "accepts it.",
        {
            "application/json": {"schema": {"anyOf": [reference("InferResponse"), reference("Answer")]}},
            "application/octet-stream": _BINARY,
        },
        _takes(
            "InferRequest",
            pixels={
                "id": "1",
                "inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 28, 28], "data": [PIXELS]}],
            },
            picture={
                "inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": [PNG]}],
                "outputs": [{"name": "digit"}],
            },
            classes={
                "inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": [PNG]}],
                "outputs": [{"name": "probabilities", "parameters": {"classification": 3}}],
            },
        )
        | {"image/*": _BINARY, "application/octet-stream": _BINARY},
        needs_body=True,
    ),
    "server": Described("models", "What is this server?", answers=_json("Server")),
    "model": Described("models", "What goes into a model, and what comes out?", answers=_json("Model")),
    "config": Described("models", "How is a model configured?", answers=_json("Config")),
    "stats": Described("models", "How much has been asked, and how long did it take?", answers=_json("Statistics")),
    "live": Described("health", "Is the service live?", "The body is empty."),
    "ready": Described("health", "Is the service ready?", "The body is empty."),
    "model_ready": Described("health", "Is a model ready?", "The body is empty."),
    "index": Described(
        "repository",
        "Which versions are there, and in which state?",
        answers=_json("Index"),
        takes=_takes("IndexRequest", all={}, ready={"ready": True}),
    ),
    "load": Described(
        "repository",
        "Load a version",
        "For administrators. Without a version, the model is served again as the service's policy says. The body is "
        "empty.",
        takes=_takes("LoadRequest", policy={}, version={"parameters": {"version": "1"}}),
    ),
    "unload": Described(
        "repository",
        "Unload a version",
        "For administrators. Without a version, the model as a whole. The body is empty.",
        takes=_takes("UnloadRequest", all={"parameters": {"unload_dependents": False}}),
    ),
}
"""What is said of each operation."""


def errors_of(method: str) -> tuple[int, ...]:
    """The statuses with which an operation may be refused."""
    return POSTS if method == "POST" else GETS
