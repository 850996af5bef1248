"""The OpenAPI document: what is answered under /v2, from the same table that answers it."""

from typing import Any

from service.web.rest.openapi_operations import DESCRIBED, ERRORS, Described, errors_of
from service.web.rest.openapi_schemas import SCHEMAS, reference
from service.web.rest.places import MODEL_NAME, OPERATIONS

__all__ = ["openapi_document"]

ABOUT = (
    "Reads handwritten digits. This is the REST half of the Open Inference Protocol, version 2, as tritonclient and "
    "other clients speak it; and a picture as the body of a request is answered as well."
)

TAGS = {
    "recognize": "Pictures in, digits out.",
    "models": "What is served.",
    "health": "Whether it is served.",
    "repository": "Which versions are served.",
}


def openapi_document(software: str) -> dict[str, Any]:
    """The document.

    Args:
        software: The version of Numeral; "" if it is not known.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Numeral",
            "version": software or "0",
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "security": [{}, {"token": []}],
        "paths": _paths(),
        "components": {
            "schemas": SCHEMAS,
            "responses": {f"E{status}": _error(status, text) for status, text in ERRORS.items()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for address, (method, operation) in OPERATIONS.items():
        described = DESCRIBED[operation]
        beginnings = [address]
        if address[:2] == ("models", MODEL_NAME):
            beginnings.append((*address[:2], "versions", "{version}", *address[2:]))
        for parts in beginnings:
            path = "/".join(["/v2", *parts]).replace(MODEL_NAME, "{model}")
            names = [name for name in ("model", "version") if f"{{{name}}}" in path]
            about = operation + ("_all" if operation == "stats" and not names else "")
            about += "_of_version" if "version" in names else ""
            paths[path] = {
                **({"parameters": [_in_path(name) for name in names]} if names else {}),
                method.lower(): _operation(method, about, described),
            }
    return paths


def _operation(method: str, name: str, described: Described) -> dict[str, Any]:
    content = {"content": described.answers} if described.answers else {}
    found: dict[str, Any] = {
        "operationId": name,
        "tags": [described.tag],
        "summary": described.summary,
        **({"description": described.description} if described.description else {}),
        "responses": {
            "200": {"description": "The answer." if content else "Yes.", **content},
            **{str(status): {"$ref": f"#/components/responses/E{status}"} for status in sorted(errors_of(method))},
        },
    }
    if described.takes:
        found["requestBody"] = {"content": described.takes, "required": described.needs_body}
    if "application/octet-stream" in described.takes:
        found["parameters"] = [_header("Inference-Header-Content-Length"), _header("Content-Encoding")]
        found["responses"]["200"]["headers"] = {
            "Inference-Header-Content-Length": {
                "description": "Bytes of the JSON, if something follows it.",
                "schema": {"type": "integer"},
            }
        }
    return found


def _in_path(name: str) -> dict[str, Any]:
    example = {"model": "mnist", "version": "1"}[name]
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "example": example}


def _header(name: str) -> dict[str, Any]:
    if name == "Content-Encoding":
        return {"name": name, "in": "header", "schema": {"type": "string", "enum": ["gzip", "deflate", "identity"]}}
    return {"name": name, "in": "header", "schema": {"type": "integer", "minimum": 0}}


def _error(status: int, text: str) -> dict[str, Any]:
    found: dict[str, Any] = {"description": text, "content": {"application/json": {"schema": reference("Error")}}}
    names = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}
    if status in names:
        found["headers"] = {names[status]: {"schema": {"type": "string"}}}
    return found
