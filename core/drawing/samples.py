"""Drawn images as a network is trained on them: rendered, and framed as a user's picture is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.data.labeled import Labeled
from core.digit import SIDE
from core.drawing.digits import STYLES
from core.drawing.hand import Hand, Stroke
from core.drawing.others import OTHERS
from core.drawing.pen import Pen, ink, transformed
from core.errors import NoDigitError
from core.imaging import to_digit
from core.imaging.framing import frame

_SMALL = 0.4
"""The share of the images that arrive as 28×28 pixels, framed by another program. Their strokes keep their width, which
in a larger picture is evened out."""

_JITTER = (0.01, 0.05)
"""How unsteady a hand is: the smallest and the largest standard deviation of a point, as a share of the height."""

_MARGINS = (0.08, 0.6)
"""The margin around what is drawn, as a share of its size: the smallest and the largest."""


def digits(count: int, seed: int) -> Labeled:
    """Digits in all styles, each as often as its share says, in no particular order.

    Image i depends on the seed and on i alone, so more images begin with the same ones.
    """
    images = np.empty((count, SIDE, SIDE), np.uint8)
    labels = np.empty(count, np.uint8)
    shares = [style.share for style in STYLES.values()]
    for number in range(count):
        rng = np.random.default_rng((seed, 0, number))
        name = _weighted(list(STYLES), shares, rng)
        images[number], labels[number] = _framed(name, rng), STYLES[name].digit
    return Labeled(images, labels)


def others(count: int, seed: int) -> NDArray[np.uint8]:
    """Things that are no digit, of all kinds, in no particular order.

    Returns:
        (count, 28, 28) uint8. Image i depends on the seed and on i alone.
    """
    images = np.empty((count, SIDE, SIDE), np.uint8)
    shares = [other.share for other in OTHERS.values()]
    for number in range(count):
        rng = np.random.default_rng((seed, 1, number))
        images[number] = _framed(_weighted(list(OTHERS), shares, rng), rng)
    return images


def example(name: str, seed: int) -> NDArray[np.uint8]:
    """One image, (28, 28) uint8, of the style or kind with this name."""
    return _framed(name, np.random.default_rng(seed))


def picture(name: str, rng: np.random.Generator, *, width: float | None = None) -> Image.Image:
    """A style or kind as a user sends it: a gray picture of 28×28 pixels, or larger and with margins.

    Args:
        name: Of a style or a kind of other things.
        rng: Draws everything about the picture.
        width: Of the strokes, as a share of the height, in a larger picture; None for any.
    """
    hand = Hand(rng, jitter=rng.uniform(*_JITTER))
    strokes = _strokes(name, hand)
    if width is not None:
        return _page(ink(strokes, Pen(width, pressure=0.15, tapering=False), hand, size=100), hand)
    if hand.happens(_SMALL):
        drawn = ink(strokes, Pen.random(hand, thinnest=0.08, thickest=0.2), hand, size=60)
        return Image.fromarray(frame(np.asarray(drawn, np.float32) / np.float32(255)))
    return _page(ink(strokes, Pen.random(hand), hand, size=int(hand.between(60, 150))), hand)


def small_picture(name: str, rng: np.random.Generator, *, width: float, size: int) -> Image.Image:
    """A style or kind as simple programs draw it: 28×28, hard edges, centered by its box, strokes `width` pixels wide.

    Args:
        name: Of a style or a kind of other things.
        rng: Draws everything else.
        width: Of the strokes, in pixels.
        size: The longer side of what is drawn, in pixels.
    """
    hand = Hand(rng, jitter=rng.uniform(*_JITTER))
    drawn = np.asarray(ink(_strokes(name, hand), Pen(width / size, pressure=0, tapering=False), hand, size=size))
    hard = Image.fromarray(np.where(drawn > 127, 255, 0).astype(np.uint8))
    page = Image.new("L", (SIDE, SIDE))
    page.paste(hard, ((SIDE - hard.width) // 2, (SIDE - hard.height) // 2))
    return page


def _strokes(name: str, hand: Hand) -> list[Stroke]:
    """What a hand draws for a style or a kind of other things."""
    if name in STYLES:
        return transformed(STYLES[name].draw(hand), hand, turn=STYLES[name].turn, slant=0.4, stretch=0.3)
    return transformed(OTHERS[name].draw(hand), hand, turn=12, slant=0.3, stretch=0.3)


def _framed(name: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw until something is found in the picture: thin pencil may be lost."""
    while True:
        try:
            return to_digit(picture(name, rng))
        except NoDigitError:
            continue


def _page(drawn: Image.Image, hand: Hand) -> Image.Image:
    """What is drawn on a page: dark on light or light on dark, with a margin, in a picture with a little noise."""
    left, top, right, bottom = (hand.rng.uniform(*_MARGINS, 4) * max(drawn.size)).astype(int).tolist()
    page = Image.new("L", (left + drawn.width + right, top + drawn.height + bottom))
    page.paste(drawn, (left, top))
    share = np.asarray(page, np.float32) / 255
    paper, darkest = (hand.between(200, 255), hand.between(0, 110))
    if hand.happens(0.4):
        paper, darkest = 255 - paper, 255 - darkest
    gray = paper + (darkest - paper) * share + hand.rng.normal(0, hand.between(0, 4), share.shape)
    return Image.fromarray(np.clip(np.rint(gray), 0, 255).astype(np.uint8))


def _weighted(options: Sequence[str], shares: Sequence[float], rng: np.random.Generator) -> str:
    weights = np.array(shares)
    return options[int(rng.choice(len(options), p=weights / weights.sum()))]
