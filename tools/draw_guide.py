"""Make the pictures of the guide's pages 1 to 6, from the real objects: networks, layers, schedules, studies.

Usage: python tools/draw_guide.py [FOLDER] [--without-studies] [--data-dir DIR]
       (FOLDER is docs/images/guide by default; studies that DIR does not hold are trained first, which takes minutes)
"""
# ruff: noqa: E402 — Numeral's own packages can be imported once its folder is on the path

import argparse
import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np
from guide_canvas import svg, use_style
from guide_charts import STUDIES, draw_schedules, draw_study, draw_vanishing
from guide_diagrams import DIAGRAMS
from matplotlib.figure import Figure
from PIL import Image

from core.data import mnist
from pipelines.settings import Settings

MISTAKES = (4497, 2654, 1112, 1609, 3520, 3503, 4078, 2053)
"""Test images that the recipe `mlp` reads wrong; the page says as what."""

FIGURES: dict[str, Callable[[], Figure]] = {
    **DIAGRAMS,
    "schedules.svg": draw_schedules,
    "vanishing.svg": draw_vanishing,
}


def mistakes() -> bytes:
    """The test images of `MISTAKES` in a row, three times as large, dark on light."""
    images = 255 - mnist.load(ROOT / "data/mnist").test_images[list(MISTAKES)]
    row = np.hstack(np.pad(images, ((0, 0), (2, 2), (2, 2)), constant_values=255))
    picture = Image.fromarray(row).resize((row.shape[1] * 3, row.shape[0] * 3), Image.Resampling.NEAREST)
    file = io.BytesIO()
    picture.quantize(16).save(file, "PNG", optimize=True)
    return file.getvalue()


def main(folder: Path, data_dir: Path, *, studies: bool) -> None:
    """Write all pictures into a folder."""
    use_style()
    folder.mkdir(parents=True, exist_ok=True)
    figures = dict(FIGURES)
    if studies:
        figures |= {f"{name}.svg": partial(draw_study, name, data_dir) for name in STUDIES}
    for name, draw in figures.items():
        (folder / name).write_bytes(svg(draw()))
    (folder / "mistakes.png").write_bytes(mistakes())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the pictures of the guide's pages 1 to 6.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs/images/guide")
    parser.add_argument("--data-dir", type=Path, default=Settings().data_dir, help="where studies keep their outcomes")
    parser.add_argument("--without-studies", action="store_true", help="seconds instead of minutes")
    given = parser.parse_args()
    main(given.folder, given.data_dir, studies=not given.without_studies)
