"""How many pictures are read right, by kind: writing style, pen, paper, program; and how many non-digits are refused.

`python -m benchmarks handwriting --json` draws every picture itself (`core.drawing`), so anybody can repeat it, and
takes the way of a user's picture: encode, decode, find, frame, recognize. A folder of real pictures may be added; the
first character of a file's name is its digit.
"""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.digits import DIGITS
from core.artifact.manifest import Manifest
from core.artifact.repository import Repository
from core.data import mnist
from core.drawing import papers, samples
from core.drawing.digits import STYLES
from core.drawing.others import OTHERS
from core.errors import PictureError
from core.imaging import digit_from_bytes, framing_version
from core.inference.predict import Predictor, load

PRETRAINED = str(Path(__file__).parents[1] / "pretrained")
"""The repository whose champion is asked by default: the version that ships with Numeral."""

SURE = 0.99
"""An answer with a higher confidence is one that a user relies on."""

PENS = {"pencil": 0.03, "pen": 0.06, "marker": 0.11, "brush": 0.18}
"""Widths of strokes, as shares of the digit's height."""

SMALL = {
    "1 pixel, 20 high": (1.0, 20),
    "1 pixel, 26 high": (1.0, 26),
    "2 pixels, 16 high": (2.0, 16),
    "3 pixels, 24 high": (3.0, 24),
    "5 pixels, 24 high": (5.0, 24),
}
"""Width of the strokes and height of the digit, in pixels, in the 28×28 pictures of other programs."""

PRINTED = "ACEFGHKLMNPRTUVWXY"
"""Capital letters that nobody takes for a digit."""

Labeled = tuple[bytes, int | None]
"""An encoded picture, and the digit that it shows; None if it shows no digit."""


@dataclass(frozen=True)
class Row:
    """The outcome for the pictures of one kind.

    Attributes:
        group: What the kinds of the group differ in.
        kind: What is special about these pictures.
        pictures: How many there are.
        right: How many got the right answer; if they show no digit, the right answer is to refuse them.
        wrong: How many got a wrong answer.
        refused: How many got none although they show a digit.
        surely_wrong: How many of the wrong answers came with a confidence above 0.99.
    """

    group: str
    kind: str
    pictures: int
    right: int
    wrong: int
    refused: int
    surely_wrong: int


def measure(version: tuple[Predictor, Manifest], each: int, seed: int, folders: tuple[Path, ...]) -> Iterator[Row]:
    """Draw `each` pictures of every kind and ask a version about them; yields a row for each kind."""
    for group, kind, pictures in _kinds(each, seed, folders):
        yield _row(version, group, kind, pictures)


def version_of(path: str) -> tuple[Predictor, Manifest]:
    """The champion of a repository."""
    repository = Repository(path)
    return load(repository, repository.champion())


def write(rows: list[Row], *, as_json: bool) -> None:
    """Write one JSON document, or a table, to standard output."""
    rows = [*rows, *_totals(rows)]
    if as_json:
        json.dump([asdict(row) for row in rows], sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    table = Table("", "kind", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("pictures", "right", "wrong", "refused", "surely wrong"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        share = f"{row.right / row.pictures:.1%}" if row.pictures else ""
        counts = (f"{count:,}" if count else "" for count in (row.wrong, row.refused, row.surely_wrong))
        table.add_row(row.group, row.kind, f"{row.pictures:,}", share, *counts)
    Console(width=110).print(table)


def _totals(rows: list[Row]) -> Iterator[Row]:
    """A row for each group, and one for all groups of digits."""
    groups = dict.fromkeys(row.group for row in rows)
    for group in groups:
        yield _total([row for row in rows if row.group == group], group)
    yield _total([row for row in rows if row.group != "no digit"], "all digits")


def _total(rows: list[Row], group: str) -> Row:
    columns = ("pictures", "right", "wrong", "refused", "surely_wrong")
    return Row(group, "total", *(sum(getattr(row, column) for row in rows) for column in columns))


def _kinds(each: int, seed: int, folders: tuple[Path, ...]) -> Iterator[tuple[str, str, list[Labeled]]]:
    """Group and name of every kind, with its pictures."""

    def drawn(name: str, number: int, width: float | None = None) -> bytes:
        return _encoded(samples.picture(name, np.random.default_rng((seed, number)), width=width))

    for name, style in STYLES.items():
        yield "style", name, [(drawn(name, n), style.digit) for n in range(each)]
    names = list(STYLES)
    for pen, width in PENS.items():
        chosen = [(names[n % len(names)], n) for n in range(each)]
        yield "pen", pen, [(drawn(name, n, width), STYLES[name].digit) for name, n in chosen]
    yield from _on_paper(each, seed)
    yield from _by_programs(each, seed)
    for name in OTHERS:
        yield "no digit", name, [(drawn(name, n), None) for n in range(each)]
    yield "no digit", "printed letter", [(_encoded(_printed(n)), None) for n in range(each)]
    yield "no digit", "noise", [(_encoded(_noise(seed, n)), None) for n in range(each)]
    yield "no digit", "blank", [(_encoded(Image.new("L", (200, 200), 255 * n // each)), None) for n in range(each)]
    for folder in folders:
        yield "real", folder.name, _real(folder)


def _on_paper(each: int, seed: int) -> Iterator[tuple[str, str, list[Labeled]]]:
    """Test digits of MNIST, which no network has trained on, written on every kind of paper."""
    digits = mnist.load(DIGITS)
    chosen = np.random.default_rng(seed).permutation(len(digits.test_images))[:each]
    for kind, sheet in papers.SHEETS.items():
        rngs = [np.random.default_rng((seed, n)) for n in range(len(chosen))]
        pages = [
            sheet(papers.written(digits.test_images[row], rng), rng) for row, rng in zip(chosen, rngs, strict=True)
        ]
        labels = digits.test_labels[chosen].tolist()
        yield (
            "paper",
            kind,
            [(_encoded(Image.fromarray(page)), digit) for page, digit in zip(pages, labels, strict=True)],
        )


def _printed(number: int) -> Image.Image:
    """A capital letter in the font that comes with Pillow, which no network has seen."""
    page = Image.new("L", (160, 160), 255)
    letter = PRINTED[number % len(PRINTED)]
    ImageDraw.Draw(page).text((50, 30), letter, font=ImageFont.load_default(70 + number % 30), fill=0)
    return page


def _noise(seed: int, number: int) -> Image.Image:
    rng = np.random.default_rng((seed, number))
    gray = rng.normal(128, rng.uniform(10, 60), (200, 200))
    return Image.fromarray(np.clip(gray, 0, 255).astype(np.uint8))


def _by_programs(each: int, seed: int) -> Iterator[tuple[str, str, list[Labeled]]]:
    """28×28 pictures of simple programs: hard edges, centered by the box, and strokes unlike those of MNIST."""
    names = list(STYLES)
    for kind, (width, size) in SMALL.items():
        chosen = [(names[n % len(names)], np.random.default_rng((seed, n))) for n in range(each)]
        drawn = [samples.small_picture(name, rng, width=width, size=size) for name, rng in chosen]
        labels = [STYLES[name].digit for name, _ in chosen]
        yield "28×28", kind, [(_encoded(image), digit) for image, digit in zip(drawn, labels, strict=True)]
        dark: list[Labeled] = [(_encoded(ImageOps.invert(each)), d) for each, d in zip(drawn, labels, strict=True)]
        yield "28×28", f"{kind}, dark on light", dark


def _real(folder: Path) -> list[Labeled]:
    """The pictures of a folder whose names begin with a digit."""
    return [(file.read_bytes(), int(file.name[0])) for file in sorted(folder.iterdir()) if file.name[0].isdigit()]


def _encoded(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _row(version: tuple[Predictor, Manifest], group: str, kind: str, pictures: list[Labeled]) -> Row:
    predictor, manifest = version
    framing = framing_version(manifest.preprocessing.framing)
    right = wrong = refused = surely_wrong = 0
    for picture, digit in pictures:
        try:
            answers = predictor.answers(digit_from_bytes(picture, framing=framing)[np.newaxis])
        except PictureError:
            answer = None
        else:
            answer = None if answers.rejected[0] else int(answers.probabilities[0].argmax())
        if answer == digit:
            right += 1
        elif answer is None:
            refused += 1
        else:
            wrong += 1
            surely_wrong += bool(answers.probabilities[0].max() > SURE)
    return Row(group, kind, len(pictures), right, wrong, refused, surely_wrong)
