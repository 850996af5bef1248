"""What is checked before anything is downloaded or trained: what is asked for, and whether its results can be written.

A training may take hours; whoever starts it should learn within a second that its folder is read-only or its disk full.
A repository in a bucket is not checked here: the first write to it shows what its keys allow.
"""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.durable import storage_error
from core.data.mnist import FILES, locate
from core.digit import SIDE
from core.errors import ConfigError, StorageError
from pipelines.order import Order
from pipelines.recipe import Recipe, load_recipe
from pipelines.retrain import teaching
from pipelines.settings import Settings

__all__ = ["Need", "check", "check_lasting", "needs"]

_DOWNLOADS = 12_000_000
"""Bytes of the four files, gzipped: 11,594,722 at the public mirrors."""

_DOCUMENTS = 4_000_000
"""Bytes of a version's report, card and manifest, or of the small files of a run: several times what they have."""

_CHECKPOINT = 5
"""Times the weights: themselves, two slots of the optimizer at most, their average and the best ones."""

_IMAGE = SIDE * SIDE + 1
"""Bytes of a drawn image and its label."""


@dataclass(frozen=True)
class Need:
    """A folder that must be writable, and how much room the run takes there.

    Attributes:
        folder: Which one.
        flag: The option that chooses another one.
        bytes: About how many are written there.
    """

    folder: Path
    flag: str
    bytes: int


def check_lasting(order: Order) -> Recipe:
    """Check what does not heal by itself: the recipe, the settings of the webhook, and folders that can be written.

    Returns:
        The recipe, with its overrides applied.

    Raises:
        ConfigError: The recipe, an override or the webhook is wrong.
        StorageError: The data folder, or a repository that is a folder, cannot be written.
    """
    from pipelines.notices.announcer import webhook_of  # here: commands that retrain nothing need no HTTP client

    recipe = load_recipe(order.recipe, order.overrides)
    webhook_of(Settings())
    for folder in (order.data_dir, order.store.location.folder):
        if folder:
            _write(folder)
    return recipe


def check(order: Order) -> Recipe:
    """Check all that a run needs: what `check_lasting` checks, the folder of handwriting, the teacher, and room.

    Returns:
        The recipe, with its overrides applied.

    Raises:
        ConfigError: See `check_lasting`; or there is no folder of handwriting, or no teacher that the recipe names.
        StorageError: See `check_lasting`; or a folder cannot be read, or has too little room.
    """
    recipe = check_lasting(order)
    if order.handwriting and not order.handwriting.is_dir():
        raise ConfigError(
            f"--handwriting {order.handwriting}: no such folder; expected pictures named 7/any.png or 7_any.png in it"
        )
    teacher = recipe.train.teacher
    if teacher and teaching.holding(order.store, teacher).location.folder:
        teaching.named(order.store, teacher)
    found = needs(order, recipe)
    for need in found:
        device = need.folder.stat().st_dev
        needed = sum(other.bytes for other in found if other.folder.stat().st_dev == device)
        free = shutil.disk_usage(need.folder).free
        if free < needed:
            raise StorageError(
                f"{need.folder} has too little room: the run writes about {_mb(needed)} to this disk, and {_mb(free)} "
                f"are free; free some space, or choose another {need.flag}"
            )
    return recipe


def needs(order: Order, recipe: Recipe) -> list[Need]:
    """Where the run writes, and how much.

    Raises:
        StorageError: The data folder cannot be read.
    """
    cache = order.data_dir / "mnist"
    try:
        missing = not all(locate(cache, file) for file in FILES)
    except OSError as error:
        raise storage_error(cache, error) from error
    weights = 4 * recipe.build(np.random.default_rng(0)).vector.value.size
    networks = len(recipe.members())
    work = (
        _DOWNLOADS * missing
        + _IMAGE * recipe.data.styles.count
        + 2 * _CHECKPOINT * weights // networks  # the previous one remains until the next one is complete
        + weights * (1 if networks == 1 else 2)  # those of an ensemble's members remain beside those of the ensemble
        + _DOCUMENTS
    )
    found = [Need(order.data_dir, "--data-dir", work)]
    if folder := order.store.location.folder:
        found.append(Need(folder, "--repository", weights + _DOCUMENTS))
    return found


def _write(folder: Path) -> None:
    """Write a byte to a new file in the folder, which is made if necessary, and remove it again."""
    probe = folder / f".preflight-{secrets.token_hex(8)}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            probe.write_bytes(b"\n")
        finally:  # on a full disk, the file exists all the same
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
