"""What a look inside the network has shown, as plain objects."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from protos.numeral.v1.recognizer_pb2 import LookInsideResponse
from protos.numeral.v1.recognizer_pb2 import Stage as StageMessage
from service.client.answers import image_of, reading
from service.wire import Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Inside", "Stage", "inside"]


@dataclass(frozen=True, eq=False)
class Stage:
    """The output of one layer.

    Attributes:
        name: The place of the layer and its kind, as in the names of its weights, e.g. "0.conv2d".
        kind: Its kind, as recipes name it, e.g. "conv2d".
        settings: What the recipe sets for it, e.g. `{"kernel": "5"}`.
        shape: The shape of its output: (H, W, C) for feature maps, (K,) for a list of numbers.
        values: The output, float32: (C, H, W), the feature maps one after the other; or (K,). They were sent in 255
            steps from the smallest to the largest.
        parameters: How many numbers it has learned.
    """

    name: str
    kind: str
    settings: dict[str, str]
    shape: tuple[int, ...]
    values: "NDArray[np.float32]" = field(repr=False)
    parameters: int


@dataclass(frozen=True, eq=False)
class Inside:
    """What each layer of the network makes of a picture.

    Attributes:
        reading: The answer to the picture.
        image: (28, 28) uint8, the picture as the network saw it.
        stages: The output of each layer, in the order in which they are computed. Of an ensemble, those of its first
            member, and then the vote of all.
    """

    reading: Reading
    image: "NDArray[np.uint8]" = field(repr=False)
    stages: tuple[Stage, ...]


def inside(response: LookInsideResponse) -> Inside:
    """A look inside, from its message."""
    return Inside(reading(response.answer), image_of(response.pixels), tuple(map(_stage, response.stages)))


def _stage(message: StageMessage) -> Stage:
    import numpy as np

    shape = tuple(message.shape)
    levels = np.frombuffer(message.levels, np.uint8)
    step = (message.high - message.low) / 255  # in 64 bits, in which it cannot overflow
    values = (message.low + step * levels).astype(np.float32)
    return Stage(
        name=message.name,
        kind=message.kind,
        settings=dict(message.settings),
        shape=shape,
        values=values.reshape((shape[-1], *shape[:-1]) if len(shape) > 2 else shape),
        parameters=message.parameters,
    )
