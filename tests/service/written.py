"""A version that takes one picture for a digit and refuses another: a cross, which it knows by its arms."""

import numpy as np
from PIL import Image, ImageDraw

from core.artifact.manifest import Rejection
from core.artifact.repository import Repository
from core.imaging import digit_from_bytes
from core.nn.sequential import Sequential
from tests.service.harness import drawing, encoded
from tests.service.tiny_model import publish_network, tiny_network

REJECTION = Rejection(scale=1.0, offset=0.0, threshold=0.5)


def cross() -> bytes:
    """A PNG of two thick strokes that cross each other."""
    image = Image.new("L", (60, 60), 255)
    pen = ImageDraw.Draw(image)
    pen.line([(12, 30), (48, 30)], fill=0, width=6)
    pen.line([(30, 12), (30, 48)], fill=0, width=6)
    return encoded(image)


DIGIT, CROSS = drawing(), cross()
DIGIT_PIXELS, CROSS_PIXELS = (digit_from_bytes(picture) for picture in (DIGIT, CROSS))


def network() -> Sequential:
    """Every image is a 1, but the more ink there is where a cross has its arms, the lower are all logits."""
    found = tiny_network(seed=0)
    state = {name: np.zeros_like(array) for name, array in found.state().items()}
    arms = np.zeros((28, 28), bool)
    arms[12:16, 5:10] = arms[12:16, 18:23] = True
    state["0.dense.W"][arms.ravel(), 0] = 1 / arms.sum()
    state["0.dense.b"][0] = -0.4
    state["2.dense.W"][0] = -12
    state["2.dense.b"][1] = 6
    found.load_state(state)
    return found


def publish_refusing(repository: Repository, *, rejection: Rejection | None = REJECTION, promote: bool = True) -> int:
    """Publish a version that takes `DIGIT` for a digit and `CROSS` for none; or one that cannot refuse."""
    return publish_network(repository, network(), promote=promote, rejection=rejection)
