"""Images drawn by code, as a recipe's `data.styles` asks for them: those that train, and those that are held out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from core.artifact.origin import StylesProvenance
from core.data.labeled import Labeled
from core.drawing.drawn import drawn
from pipelines.references import FileRef
from pipelines.report.formats import drawn_images
from pipelines.sections import HELD_OUT_SEED, StylesSection

_MOST_HELD_OUT = 2000
"""Digits, and others, that are drawn to fit with, and as many to measure with; or as many as train, if those are fewer.
Of 2,000, a share near 95% is known to within one point.
"""


@dataclass(frozen=True)
class HeldOut:
    """Drawn images that never train. They are the same for all versions that hold out as many, to compare them.

    Attributes:
        fitting: Digits, and images labeled `NO_DIGIT`: the rejection is fitted on them.
        measuring: Likewise, others: they have no influence on any choice.
    """

    fitting: Labeled
    measuring: Labeled


def draw(section: StylesSection, work: Path, say: Callable[[str], None]) -> FileRef:
    """Draw the images that train, or find those of an interrupted run.

    Args:
        section: How many of which, at least one in all, and the seed.
        work: The folder of a run with the same section and the same code.
        say: Receives each message.

    Returns:
        The images as `Labeled.pack` packs them.
    """
    done = work / "styles.json"
    found = FileRef.recall(done)
    if found and found.holds():
        say("drawn: an earlier run was interrupted after drawing; its images are reused")
        return found
    images = drawn_images(section.digits, section.others)
    say(f"drawing: {images}, to train on as well; this may take a few minutes")
    started = perf_counter()
    packed = drawn(section.digits, section.others, section.seed).pack()
    say(f"drawn: {images} in {perf_counter() - started:.1f} s")
    reference = FileRef.store(work / "styles", packed)
    FileRef.store(done, reference.model_dump_json().encode())  # last: a rerun may now rely on the images
    return reference


def held_out(section: StylesSection) -> HeldOut:
    """Draw the images that never train: their seeds are reserved."""
    digits, others = (min(count, _MOST_HELD_OUT) for count in (section.digits, section.others))
    fitting, measuring = (drawn(digits, others, seed) for seed in (HELD_OUT_SEED, HELD_OUT_SEED + 1))
    return HeldOut(fitting, measuring)


def provenance_of(section: StylesSection, images: FileRef) -> StylesProvenance:
    """What was drawn, and its digest."""
    return StylesProvenance(**section.model_dump(), sha256=images.sha256)
