"""Answers of the service as the JSON that the page shows. Arrays travel as base64 of their bytes."""

from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.client import Explanation, Found, Inside, Reading, Stage

__all__ = ["explanation", "found", "inside", "reading"]

LEVELS = 255
"""The output of a layer is shown in this many steps: more than a screen shows, and a quarter of the bytes."""


def reading(answer: Reading, image: NDArray[np.uint8] | None = None) -> dict[str, Any]:
    """One answer.

    Args:
        answer: The answer.
        image: (28, 28), the picture as the network saw it; None for the one in the answer, if there is one.
    """
    seen = answer.image if image is None else image
    return {
        "digit": answer.digit,
        "confidence": answer.confidence,
        "probabilities": answer.probabilities,
        "rejected": answer.rejected,
        "digitness": answer.digitness,
        "version": answer.model_version,
        "weights_sha256": answer.weights_sha256,
        "reply_id": answer.reply_id,
    } | ({} if seen is None else {"pixels": _base64(seen)})


def explanation(answer: Explanation) -> dict[str, Any]:
    """An answer, and which pixels speak for a digit: 784 float32, little-endian, in logits per full step of ink."""
    return reading(answer.reading, answer.image) | {
        "explained": answer.digit,
        "saliency": _base64(answer.saliency.astype("<f4")),
    }


def found(digits: list[Found]) -> dict[str, Any]:
    """Several answers, each with its box in pixels of the upright picture: left, top, right, bottom."""
    return {"digits": [reading(each.reading) | {"box": list(each.box)} for each in digits]}


def inside(answer: Inside) -> dict[str, Any]:
    """An answer, and the output of each layer that led to it."""
    return reading(answer.reading, answer.image) | {"stages": [_stage(each) for each in answer.stages]}


def _stage(stage: Stage) -> dict[str, Any]:
    low, high = float(stage.values.min()), float(stage.values.max())
    scaled = (stage.values - low) * (LEVELS / (high - low or 1.0))
    return {
        "name": stage.name,
        "kind": stage.kind,
        "settings": stage.settings,
        "shape": stage.shape,
        "levels": _base64(np.rint(scaled).astype(np.uint8)),
        "low": low,
        "high": high,
        "parameters": stage.parameters,
    }


def _base64(array: NDArray[Any]) -> str:
    return b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
