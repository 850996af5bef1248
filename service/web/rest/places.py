"""The addresses under /v2, and which operation each of them is."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from service.texts import quoted
from service.web.rest.http_error import HttpError

__all__ = ["MODEL_NAME", "OPERATIONS", "Asked", "Place", "place_of"]

MODEL_NAME = "{m}"
"""Stands for the name of a model."""

OPERATIONS: dict[tuple[str, ...], tuple[str, str]] = {
    (): ("GET", "server"),
    ("health", "live"): ("GET", "live"),
    ("health", "ready"): ("GET", "ready"),
    ("models", "stats"): ("GET", "stats"),
    ("models", MODEL_NAME): ("GET", "model"),
    ("models", MODEL_NAME, "ready"): ("GET", "model_ready"),
    ("models", MODEL_NAME, "config"): ("GET", "config"),
    ("models", MODEL_NAME, "stats"): ("GET", "stats"),
    ("models", MODEL_NAME, "infer"): ("POST", "infer"),
    ("repository", "index"): ("POST", "index"),
    ("repository", "models", MODEL_NAME, "load"): ("POST", "load"),
    ("repository", "models", MODEL_NAME, "unload"): ("POST", "unload"),
}
"""Each address after /v2, its method and its operation. `{m}` is the name of a model, after which `versions/{v}` may
stand, except in the addresses of the repository."""


class Place(NamedTuple):
    """What a request is about.

    Attributes:
        operation: One of `OPERATIONS`.
        model: The name of the model; "" if the address holds none.
        version: The version; "" if the address holds none.
    """

    operation: str
    model: str = ""
    version: str = ""


class Asked(NamedTuple):
    """A request, read.

    Attributes:
        place: What it is about.
        headers: Its headers.
        scope: All that the HTTP server knows of it.
        body: Its body.
    """

    place: Place
    headers: Mapping[bytes, bytes]
    scope: Mapping[str, Any]
    body: bytes


def place_of(method: str, path: str) -> Place:
    """What a request is about.

    Args:
        method: The method; HEAD is answered as GET.
        path: The whole path, decoded; it begins with /v2.

    Raises:
        HttpError: There is no such address (404), or not with this method (405).
    """
    _, _, *parts = path.rstrip("/").split("/")
    address, model, version = tuple(parts), "", ""
    if address not in OPERATIONS:
        address, model, version = _about(parts)
    if address not in OPERATIONS or MODEL_NAME in parts:
        raise HttpError(404, f"there is nothing at {quoted(path)}; GET /openapi.json lists what there is")
    wanted, operation = OPERATIONS[address]
    if method != wanted and not (wanted == "GET" and method == "HEAD"):
        allowed = "GET, HEAD" if wanted == "GET" else wanted
        sentence = f"{quoted(path)} is asked with {wanted}, not with {quoted(method)}"
        raise HttpError(405, sentence, (b"allow", allowed.encode()))
    return Place(operation, model, version)


def _about(parts: list[str]) -> tuple[tuple[str, ...], str, str]:
    """An address with the name of its model replaced, its model, and its version."""
    if parts[:1] == ["models"] and len(parts) > 1 and parts[1]:
        rest, version = parts[2:], ""
        if rest[:1] == ["versions"] and len(rest) > 1 and rest[1]:
            version, rest = rest[1], rest[2:]
        return ("models", MODEL_NAME, *rest), parts[1], version
    if parts[:2] == ["repository", "models"] and len(parts) > 2 and parts[2]:
        return ("repository", "models", MODEL_NAME, *parts[3:]), parts[2], ""
    return tuple(parts), "", ""
