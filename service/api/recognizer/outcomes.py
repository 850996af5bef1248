"""From probabilities to the messages that clients are sent: one answer, or those of a whole batch at once."""

from collections.abc import Mapping
from functools import lru_cache
from secrets import token_hex
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protos.numeral.v1.recognizer_pb2 import Outcome, Problem, RecognizeBatchResponse, RecognizeResponse
from service.api.status import status_of
from service.loaded import Loaded

__all__ = ["ReplyIds", "batch_response", "problem", "put_answer"]


class ReplyIds:
    """Names of answers: 32 hexadecimal digits, of which half are this object's own and half count up.

    As good as a random UUID for telling answers apart, and a tenth of the work.

    Attributes:
        own: The first half.
    """

    def __init__(self) -> None:
        self.own = token_hex(8)
        self._last = 0

    def next(self) -> str:
        """A name that no other answer has."""
        self._last += 1
        return f"{self.own}{self._last:016x}"

    def counts(self, number: int) -> NDArray[np.bytes_]:
        """The second halves of as many new names: (number,) S16."""
        first = self._last + 1
        self._last += number
        digits = np.arange(first, first + number, dtype=">u8").tobytes().hex()
        return np.frombuffer(digits.encode(), "S16")


def put_answer(message: RecognizeResponse, loaded: Loaded, row: list[float], ids: ReplyIds) -> None:
    """Write what a version made of one image into a message, in its place in a larger one: a copy takes as long again.

    Args:
        message: An empty one.
        loaded: The version.
        row: The probabilities.
        ids: Names the answer.
    """
    confidence = max(row)
    message.digit = row.index(confidence)
    message.probabilities.extend(row)
    message.confidence = confidence
    message.reply_id = ids.next()
    message.model_version = loaded.version
    message.weights_sha256 = loaded.weights_sha256


def batch_response(
    loaded: Loaded, probabilities: NDArray[np.float32], errors: Mapping[int, Exception], ids: ReplyIds
) -> RecognizeBatchResponse:
    """What a version made of a batch; the same messages as by `put_answer`, in a seventh of the time.

    Setting the fields of 64 messages takes longer than the network. But serialized, the answers of one version differ
    in the same few bytes. So one of them is serialized, repeated, and filled in column by column, and the whole is
    parsed.

    Args:
        loaded: The version.
        probabilities: (N, K).
        errors: Why images hold no digit, by their row.
        ids: Names the answers.
    """
    template, columns = _template(loaded.version, loaded.weights_sha256, probabilities.shape[1], ids.own)
    rows = np.empty(len(probabilities), columns)
    rows.view(np.uint8).reshape(len(rows), len(template))[:] = template
    rows["digit"] = probabilities.argmax(axis=1)
    rows["probabilities"] = probabilities
    rows["confidence"] = probabilities.max(axis=1)
    rows["count"] = ids.counts(len(rows))
    response = RecognizeBatchResponse.FromString(rows.tobytes())
    for row, error in errors.items():
        response.outcomes[row].CopyFrom(problem(error))
    return response


def problem(error: Exception) -> Outcome:
    """Why one picture of several has no answer."""
    code, sentence = status_of(error)
    return Outcome(problem=Problem(code=code.value[0], message=sentence, kind=type(error).__name__))


@lru_cache(maxsize=16)
def _template(version: str, weights_sha256: str, classes: int, own: str) -> tuple[NDArray[np.uint8], np.dtype[Any]]:
    """One answer as it is serialized in a batch, and where in it each field lies that differs from answer to answer."""
    probabilities, confidence, count = np.full(classes, 0.75, "<f4"), np.full(1, 0.25, "<f4"), b"?" * 16

    def serialized(digit: int) -> bytes:
        answer = RecognizeResponse(
            digit=digit,
            probabilities=probabilities.tolist(),
            confidence=confidence.item(),
            reply_id=own + count.decode(),
            model_version=version,
            weights_sha256=weights_sha256,
        )
        return RecognizeBatchResponse(outcomes=[Outcome(answer=answer)]).SerializeToString()

    # 1 and 2, because protobuf leaves a 0 out. One that is written out, as for the answers, means the same.
    marked = serialized(1)
    template = np.frombuffer(marked, np.uint8)
    offsets = {
        "digit": int(np.flatnonzero(template != np.frombuffer(serialized(2), np.uint8)).item()),
        "probabilities": marked.index(probabilities.tobytes()),
        "confidence": marked.index(confidence.tobytes()),
        "count": marked.index(count),
    }
    columns = np.dtype(
        {
            "names": list(offsets),
            "offsets": list(offsets.values()),
            "formats": ["u1", ("<f4", (classes,)), "<f4", "S16"],
            "itemsize": len(marked),
        }
    )
    return template, columns
