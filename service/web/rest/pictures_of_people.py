"""For people: a picture as the body of an infer request, and an answer that needs no explanation."""

import re

import numpy as np

from core.imaging.kinds import kind_of
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest, RecognizeResponse
from service.texts import quoted
from service.web.rest.http_error import HttpError
from service.web.rest.replies import Reply, of_json

__all__ = ["is_picture", "picture_reply", "picture_request"]

MODEL = "mnist"
"""The only model; a request for a picture does not name it to the service."""

UNTOLD = (b"", b"application/octet-stream", b"application/x-www-form-urlencoded")
"""Types that say nothing: none, that of any bytes, and what curl says of everything that it sends."""

_JSON = re.compile(rb"\s*[{\[]")
_PNM = re.compile(rb"P[1-6]\s")


def is_picture(content_type: bytes, body: bytes) -> bool:
    """Whether a body is a picture rather than a request of the protocol.

    Args:
        content_type: The header Content-Type; "" if there is none.
        body: The body.

    Raises:
        HttpError: It is a form, which may hold anything (415).
    """
    kind = content_type.partition(b";")[0].strip().lower()
    if kind.startswith(b"image/"):
        return True
    if kind == b"multipart/form-data":
        raise HttpError(
            415, "a form is not read; send the picture itself as the body, as curl --data-binary @FILE does"
        )
    if kind not in UNTOLD or _JSON.match(body):
        return False
    return bool(_PNM.match(body)) or kind_of(body) is not None


def picture_request(body: bytes, model: str, version: str) -> RecognizeRequest:
    """The message that asks for the digit in a picture.

    Raises:
        HttpError: There is no such model (404), or no picture (400).
    """
    if model != MODEL:
        raise HttpError(404, f"no model {quoted(model)} here; the only one is {MODEL!r}")
    if not body:
        raise HttpError(400, "the body is empty; expected a picture")
    return RecognizeRequest(encoded=body, model_version=version)


def picture_reply(answer: RecognizeResponse) -> Reply:
    """The answer to a picture; its numbers as short as float32 has them."""
    reply = of_json(
        {
            "digit": answer.digit,
            "confidence": np.float32(answer.confidence),
            "probabilities": np.array(answer.probabilities, np.float32),
            "rejected": answer.rejected or None,
            "digitness": np.float32(answer.digitness if answer.HasField("digitness") else 1.0),
            "model_name": MODEL,
            "model_version": answer.model_version,
            "weights_sha256": answer.weights_sha256,
            "reply_id": answer.reply_id,
        }
    )
    return reply._replace(body=reply.body + b"\n")  # for terminals
