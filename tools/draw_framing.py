"""Make the pictures of docs/guide/framing.md: the real code draws, photographs, frames and answers them.

Usage: python tools/draw_framing.py [FOLDER]        (FOLDER is docs/images/framing by default)

The answers are those of the version that ships in pretrained/, so run it again whenever that or the framing changes.
"""
# ruff: noqa: E402 — Numeral's own packages can be imported once its folder is on the path

import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import matplotlib as mpl
import numpy as np
from framing_panels import GREEN, RED, Gray, mark, outline, png, sheet, show
from framing_photos import letter_photo, lined_photo, number_photo
from framing_steps import STEPS
from matplotlib.figure import Figure
from PIL import Image

from core.artifact.manifest import WEIGHTS, Manifest
from core.artifact.repository import Repository
from core.data import mnist
from core.digit import SIDE
from core.drawing.digits import STYLES
from core.drawing.others import OTHERS
from core.drawing.papers import SHEETS, written
from core.drawing.samples import example
from core.errors import NoDigitError
from core.imaging import decode, framing_version, to_digit
from core.imaging.framing import center
from core.inference.predict import Predictor, load
from core.inference.several import read_many

NUMBER = (5, 5, 5, 0, 1, 9, 2)
BARE = np.zeros((SIDE, SIDE), np.uint8)


@cache
def shipped() -> tuple[Predictor, Manifest]:
    """The version that ships with Numeral."""
    repository = Repository(str(ROOT / "pretrained"))
    return load(repository, repository.champion())


def framing() -> int:
    """The framing that it was published with."""
    return framing_version(shipped()[1].preprocessing.framing)


def read(images: Sequence[Gray]) -> list[str]:
    """What the shipped version says of framed images: each a digit, or "refused"; "nothing" if nothing is drawn."""
    answers = shipped()[0].answers(np.stack(images))
    digits = answers.probabilities.argmax(axis=1).astype(str)
    said = np.where(answers.rejected, "refused", digits)
    return np.where([image.any() for image in images], said, "nothing").tolist()


@cache
def mnist_digits() -> tuple[Gray, Gray]:
    """MNIST's test images and their labels."""
    data = mnist.load(ROOT / "data/mnist")
    return data.test_images, data.test_labels


def draw_mnist() -> Figure:
    """MNIST's own digits, with what they have in common."""
    images, labels = mnist_digits()
    figure, panels = sheet(1, 5, width=1.5, height=1.5)
    for axes, label in zip(panels.flat, (0, 1, 4, 5, 7), strict=True):
        image = images[labels == label][1]
        show(axes, image, f"label {label}")
        mark(axes, image, center(image))
    return figure


def small(picture: Image.Image) -> Gray:
    """The picture at the size that the network expects, and no more."""
    return np.asarray(picture.convert("L").resize((SIDE, SIDE)))


def framed(picture: Image.Image) -> Gray:
    """The picture as the shipped version frames it; nothing at all if it finds no digit."""
    try:
        return to_digit(picture, framing())
    except NoDigitError:
        return BARE


WAYS: dict[str, Callable[[Image.Image], Gray]] = {
    "resized": small,
    "resized and inverted": lambda picture: 255 - small(picture),
    "framed": framed,
}


def draw_resized(each: int = 6, shown: Sequence[str] = ("ruled", "squared", "a sharp shadow")) -> Figure:
    """Test images of MNIST, written large on all kinds of paper: what is read if they are made 28×28 in three ways.

    Args:
        each: Pictures on each kind of paper.
        shown: The kinds of which the first picture is shown.
    """
    images, labels = mnist_digits()
    kinds = [kind for kind in SHEETS for _ in range(each)]
    rngs = [np.random.default_rng((7, place)) for place in range(len(kinds))]
    chosen = [int(rng.integers(len(images))) for rng in rngs]
    papers = [SHEETS[kind](written(images[i], rng), rng) for kind, i, rng in zip(kinds, chosen, rngs, strict=True)]
    pictures = [Image.fromarray(paper) for paper in papers]
    made = {name: [way(picture) for picture in pictures] for name, way in WAYS.items()}
    said = {name: read(digits) for name, digits in made.items()}
    right = {name: np.array(said[name]) == labels[chosen].astype(str) for name in WAYS}

    shares = {name: f"{name}: {right[name].mean():.0%} right" for name in WAYS}
    figure, panels = sheet(len(shown), 1 + len(WAYS), width=1.55, height=1.55, lines=2)
    for row, place in zip(panels, map(kinds.index, shown), strict=True):
        show(row[0], pictures[place], kinds[place])
        for axes, name in zip(row[1:], WAYS, strict=True):
            title = f"{shares.pop(name, '')}\nthis one: {said[name][place]}"
            show(axes, made[name][place], title, color=GREEN if right[name][place] else RED)
    return figure


def draw_examples(names: Sequence[str], columns: int, *, answered: bool) -> Figure:
    """Two drawn images of each style or kind, and if wanted the answers to them."""
    figure, panels = sheet(-(-len(names) // columns), columns, width=1.24, height=0.62, lines=1 + answered)
    for axes, name in zip(panels.flat, names, strict=False):
        images = [example(name, seed) for seed in (1, 2)]
        answers = "\n" + ", ".join(read(images)) if answered else ""
        show(axes, np.hstack(images), name + answers)
    return figure


def draw_many() -> Figure:
    """A number, with the box and the digit of each that is found."""
    picture = decode(number_photo(NUMBER))
    figure, panels = sheet(1, 1, width=5.4, height=5.4 * picture.height / picture.width, lines=0)
    show(panels[0, 0], picture)
    for found in read_many(picture, shipped()[0], framing=framing()):
        left, top, right, _ = found.box
        outline(panels[0, 0], found.box)
        digit = "?" if found.rejected else str(found.digit)
        panels[0, 0].text((left + right) / 2, top - 3, digit, color=GREEN, fontsize=12, ha="center", va="bottom")
    return figure


PHOTOS: dict[str, Callable[[], bytes]] = {
    "photo.jpg": lined_photo,
    "letter.jpg": letter_photo,
    "number.jpg": partial(number_photo, NUMBER),
}
FIGURES: dict[str, Callable[[], Figure]] = {
    "mnist.png": draw_mnist,
    "resized.png": draw_resized,
    **STEPS,
    "styles.png": partial(draw_examples, list(STYLES), 7, answered=False),
    "others.png": partial(draw_examples, list(OTHERS), 6, answered=True),
    "many.png": draw_many,
}


def main(folder: Path) -> None:
    """Write all pictures into a folder."""
    mpl.rcdefaults()  # the user's matplotlibrc must not change them
    folder.mkdir(parents=True, exist_ok=True)
    for name, photographed in PHOTOS.items():
        (folder / name).write_bytes(photographed())
    weights = shipped()[1].files[WEIGHTS].sha256
    for name, draw in FIGURES.items():
        (folder / name).write_bytes(png(draw(), weights=weights))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images/framing")
