"""What is sent back: a status, headers and a body; and how a connection is left behind."""

import gzip
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import orjson

from service.web.rest.http_error import Header, HttpError

__all__ = ["EMPTY", "JSON", "Reply", "compressed", "of_error", "of_json"]

JSON: Header = (b"content-type", b"application/json")

WORTH_COMPRESSING = 1024
"""Bytes; below that, compressing takes longer than sending."""


class Reply(NamedTuple):
    """The response to a request.

    Attributes:
        status: The HTTP status.
        body: The body.
        headers: The headers, without those that every response has.
    """

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()


EMPTY = Reply(200)
"""The response where the status says all."""


def of_json(value: object) -> Reply:
    """A document; floats of NumPy are written as short as they are, and what is no number as null."""
    return Reply(200, orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY), (JSON,))


def of_error(error: HttpError) -> Reply:
    """The response to a request that is refused."""
    return Reply(error.status, orjson.dumps({"error": str(error)}), (JSON, *error.headers))


def compressed(reply: Reply, accepted: bytes) -> Reply:
    """The same, compressed in a way that the client accepts, if it is worth it.

    Args:
        reply: The response.
        accepted: The header Accept-Encoding of the request.
    """
    if len(reply.body) < WORTH_COMPRESSING:
        return reply
    weights = _weights(accepted)
    best = max((b"gzip", b"deflate"), key=lambda name: weights.get(name, 0.0))
    if weights.get(best, 0.0) <= 0:
        return Reply(reply.status, reply.body, (*reply.headers, (b"vary", b"accept-encoding")))
    packed = gzip.compress(reply.body, 1, mtime=0) if best == b"gzip" else zlib.compress(reply.body, 1)
    return Reply(reply.status, packed, (*reply.headers, (b"content-encoding", best), (b"vary", b"accept-encoding")))


def _weights(accepted: bytes) -> Mapping[bytes, float]:
    """How much a client wants each encoding, 0 to 1, by name; what it does not name is not wanted."""
    weights: dict[bytes, float] = {}
    for part in accepted.lower().split(b","):
        name, _, weight = part.partition(b";")
        _, _, number = weight.partition(b"=")
        try:
            weights[name.strip()] = float(number) if number else 1.0
        except ValueError:
            weights[name.strip()] = 0.0
    return weights
