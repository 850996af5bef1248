"""The folder in which the blocks of a page are run: a clone of the project, and what its readers have besides."""

import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.artifact.manifest import MANIFEST
from core.artifact.repository import Repository
from core.data import idx
from core.drawing import samples
from tests.docs.pages import ROOT

__all__ = ["prepare"]

VERSIONS = 9
CHAMPION = 7
FROM_SCRATCH = ("docs/guide",)
"""Pages that are read first: nothing has been published, and there are no pictures."""

PICTURES = 20
SEED = 1


def prepare(folder: Path, page: Path) -> dict[str, str]:
    """Fill an empty folder for a page: the clone; and, unless its reader only begins,

    - `models/`: nine versions, all with the weights of the shipped one. Version 7 is the champion, 3 was it before.
    - `scans/`, `my-digits/`, `forms/`: drawn digits in folders named 0 to 9; in `scans/`, also three files that are no
      pictures. `letters/`: an A. `pictures/`, `images-idx3-ubyte`: the digits without their labels.
    - `feedback/`: what users report; nothing yet.

    Returns:
        Settings in which its reader has named these folders.
    """
    _clone(folder)
    settings = {
        "NUMERAL_DATA_DIR": str(folder / "cache"),  # its default lies in data/, a link
        "NUMERAL_MIRRORS": (ROOT / "data/mnist").as_uri(),  # nothing is asked of other machines
    }
    if any(page.is_relative_to(ROOT / part) for part in FROM_SCRATCH):
        return settings
    _publish(folder / "models")
    drawn = samples.digits(3 * PICTURES, SEED)
    parts = [slice(number * PICTURES, (number + 1) * PICTURES) for number in range(3)]
    for name, part in zip(("scans", "my-digits", "forms"), parts, strict=True):
        for number, (image, digit) in enumerate(zip(drawn.images[part], drawn.labels[part], strict=True)):
            _save(folder / name / str(digit) / f"{number:02}.png", image)
            if name == "scans":
                _save(folder / "pictures" / f"{number:02}.png", image)
    for number in range(3):
        (folder / "scans" / f"torn-{number}.png").write_bytes(b"\x89PNG, and no more")
    (folder / "letters/a").mkdir(parents=True)
    letter = Image.open(ROOT / "docs/images/framing/letter.jpg")
    letter.save(folder / "letters/a/1.png")
    letter.save(folder / "letter.png")
    (folder / "number.jpg").symlink_to(ROOT / "docs/images/framing/number.jpg")
    (folder / "images-idx3-ubyte").write_bytes(idx.encode(drawn.images))
    (folder / "feedback").mkdir()
    return settings | {"NUMERAL_FEEDBACK": "feedback"}


def _clone(folder: Path) -> None:
    """Links to everything that lies in a fresh clone, and an environment to activate: that of the tests."""
    for entry in ROOT.iterdir():
        if not entry.name.startswith(".") and entry.name not in ("build", "feedback", "models", "my_exercises"):
            (folder / entry.name).symlink_to(entry)
    activate = folder / ".venv/bin/activate"
    activate.parent.mkdir(parents=True)
    activate.write_text(f'export PATH="{Path(sys.executable).parent}:$PATH"\n', "utf-8")


def _save(path: Path, image: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(255 - image).resize((84, 84), Image.Resampling.BILINEAR).save(path)


def _publish(folder: Path) -> None:
    shipped = Repository(str(ROOT / "pretrained"))
    repository = Repository(str(folder), writable=True)
    manifest = shipped.manifest(1)
    files = {name: (ROOT / "pretrained/mnist/1" / name).read_bytes() for name in manifest.files}
    for number in range(1, VERSIONS + 1):
        version = folder / repository.model / str(number)
        version.mkdir(parents=True)
        for name, data in files.items():
            first = folder / repository.model / "1" / name
            first.write_bytes(data) if number == 1 else os.link(first, version / name)
        copy = manifest.model_copy(update={"version": number, "fingerprint": f"{number:064x}"})
        (version / MANIFEST).write_bytes(copy.encode())
    for number, why in ((3, "the first one"), (CHAMPION, "read more digits of our forms")):
        repository.promote(number, by="anna@desk", why=why)
