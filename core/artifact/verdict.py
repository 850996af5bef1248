"""The verdict on a version: whether it may become the champion, what was checked, and what was found."""

from typing import Annotated, Literal

from pydantic import Field

from core.artifact.fields import Count, Digest, Fraction, Line, Name, Part, VersionNumber

__all__ = ["Check", "Slice", "Verdict"]

_Measure = Annotated[float, Field(ge=-1e12, le=1e12)]


class Check(Part):
    """One thing that the gate has looked at."""

    name: Name
    found: _Measure = Field(description="What was found: a share, a difference of shares, or a number.")
    wanted: _Measure = Field(description="The limit, in the same unit.")
    passed: bool | None = Field(description="None if there were too few images to decide; this stops no promotion.")
    words: Line


class Slice(Part):
    """Labeled pictures beside the validation images, on which versions are compared and nobody trains."""

    name: Name
    images: Count
    accuracy: Fraction = Field(description="The share that the version read correctly.")
    sha256: Digest = Field(description="Of all of them, with their labels.")


class Verdict(Part):
    """Whether the version may become champion, and why. All but the first three fields are empty in older versions."""

    promote: bool = Field(description="What the gate has decided.")
    reason: Line
    parent: VersionNumber | None = Field(description="The champion that the version was compared with.")
    parent_accuracy: Fraction | None = Field(None, description="Its validation accuracy; None if it cannot be read.")
    best: VersionNumber | None = Field(None, description="The best comparable version before, compared with as well.")
    best_accuracy: Fraction | None = Field(None, description="Its validation accuracy, in case it is pruned.")
    improves: bool | None = Field(None, description="Whether the version is better than that, beyond chance.")
    consulted: Count | None = Field(
        None, description="How many versions were judged on the same validation images, this one included."
    )
    checks: tuple[Check, ...] = Field((), max_length=1000)
    slices: tuple[Slice, ...] = Field((), max_length=100)
    instruction: Literal["gate", "never", "always"] = Field(
        "gate", description="never: it was not promoted, whatever the gate said; always: it was, likewise."
    )
    instructed_by: Line | None = Field(None, description="Who gave an instruction that is not gate.")
