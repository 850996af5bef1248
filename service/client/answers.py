"""The answers of the service as plain objects, which the user of a client gets."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from protos.numeral.v1.recognizer_pb2 import ExplainResponse, GetModelResponse, RecognizeManyResponse, RecognizeResponse
from service.wire import Box, Found, Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Explanation", "Model", "explanation", "found", "image_of", "model", "reading"]


@dataclass(frozen=True, eq=False)
class Explanation:
    """Which pixels speak for a digit.

    Attributes:
        reading: The answer to the picture.
        digit: The digit that `saliency` is about.
        saliency: (28, 28) float32, the gradient of its logit with respect to each pixel, in logits per full step from
            background to ink: positive where more ink would speak for the digit.
        image: (28, 28) uint8, the picture as the network saw it. `saliency * (image / 255)` is the contribution of
            each pixel.
    """

    reading: Reading
    digit: int
    saliency: "NDArray[np.float32]"
    image: "NDArray[np.uint8]"


@dataclass(frozen=True)
class Model:
    """The description of a version of the model.

    Attributes:
        name: "mnist".
        version: E.g. "3", or "pretrained".
        aliases: The aliases that name it now, e.g. "champion".
        weights_sha256: The sha256 of its weights file, in hexadecimal.
        created: When it was published, in UTC.
        recipe: The name of the recipe that it was trained with.
        parameters: The number of its parameters.
        labels: The names of the classes, in the order of the probabilities.
        input_shape: The shape of one input of the network.
        test_images: The number of images that it was tested with.
        test_accuracy: The share of them that it read correctly.
        test_interval: The 95% interval of that share.
        calibration_error: The average difference between its confidence and its accuracy.
        temperature: The number that its logits are divided by before the softmax.
    """

    name: str
    version: str
    aliases: tuple[str, ...]
    weights_sha256: str
    created: datetime
    recipe: str
    parameters: int
    labels: tuple[str, ...]
    input_shape: tuple[int, ...]
    test_images: int
    test_accuracy: float
    test_interval: tuple[float, float]
    calibration_error: float
    temperature: float


def reading(response: RecognizeResponse) -> Reading:
    """An answer, from its message."""
    return Reading(
        digit=response.digit,
        confidence=response.confidence,
        probabilities=tuple(response.probabilities),
        model_version=response.model_version,
        weights_sha256=response.weights_sha256,
        reply_id=response.reply_id,
        # Servers that know no rejection leave both out.
        digitness=response.digitness if response.HasField("digitness") else 1.0,
        rejected=response.rejected,
        image=image_of(response.pixels) if response.pixels else None,
    )


def image_of(pixels: bytes) -> "NDArray[np.uint8]":
    """The picture as the network saw it, (28, 28), from its bytes."""
    import numpy as np  # here and below: a client that asks for no image starts faster without it

    return np.frombuffer(pixels, np.uint8).reshape(28, 28)


def found(response: RecognizeManyResponse) -> list[Found]:
    """The digits in one picture, from their message."""
    return [
        Found(Box(each.box.left, each.box.top, each.box.right, each.box.bottom), reading(each.answer))
        for each in response.digits
    ]


def explanation(response: ExplainResponse) -> Explanation:
    """An explanation, from its message."""
    import numpy as np

    return Explanation(
        reading=reading(response.answer),
        digit=response.digit,
        saliency=np.array(response.saliency, np.float32).reshape(28, 28),
        image=image_of(response.pixels),
    )


def model(response: GetModelResponse) -> Model:
    """The description of a version, from its message."""
    from datetime import UTC

    return Model(
        name=response.name,
        version=response.model_version,
        aliases=tuple(response.aliases),
        weights_sha256=response.weights_sha256,
        created=response.created.ToDatetime(UTC),
        recipe=response.recipe,
        parameters=response.parameters,
        labels=tuple(response.labels),
        input_shape=tuple(response.input_shape),
        test_images=response.test.images,
        test_accuracy=response.test.accuracy,
        test_interval=(response.test.accuracy_low, response.test.accuracy_high),
        calibration_error=response.test.calibration_error,
        temperature=response.temperature,
    )
