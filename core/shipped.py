"""The files that ship with the code: the recipes, MNIST, and a trained version.

In a checkout and in an image they lie beside `core/`. A wheel has them inside it, because beside it lie the packages of
other projects, one of which may well have a folder named `recipes`.
"""

from pathlib import Path
from typing import Literal

__all__ = ["INSIDE", "ROOT", "Shipped", "shipped", "shipped_repository"]

ROOT = Path(__file__).resolve().parents[1]
"""The folder of the code: a checkout, an image's, or the site-packages of a Python."""

INSIDE = Path(__file__).parent / "files"
"""Where a wheel has them; setup.py copies them there."""

Shipped = Literal["data/mnist", "pretrained", "recipes"]


def shipped(name: Shipped) -> Path:
    """One of the folders; it does not exist where it was left out, as in an image that does not need it."""
    return INSIDE / name if INSIDE.exists() else ROOT / name


def shipped_repository(folder: Path | None = None) -> str | None:
    """The repository with the trained version; None where it was left out.

    Args:
        folder: Where it is looked for; by default where it ships.
    """
    folder = folder or shipped("pretrained")
    return str(folder) if (folder / "mnist").is_dir() else None
