"""The few fields of a manifest that a list of versions shows. A repository may hold thousands of them.

A whole manifest takes a millisecond to validate. Here its digest is checked, which shows that it is what was once
validated and written, and then the few fields that are listed.
"""

from typing import Literal

from pydantic import ValidationError
from pydantic_core import from_json

from core.artifact.fields import Count, Digest, Fraction, Line, Moment, Name, Part, VersionNumber
from core.artifact.manifest import Manifest
from core.artifact.sealed import is_as_sealed

__all__ = ["Summary", "summary_of"]


class _Architecture(Part):
    parameter_count: Count


class _Measured(Part):
    accuracy: Fraction


class _File(Part):
    sha256: Digest


class _Verdict(Part):
    promote: bool
    reason: Line
    parent: VersionNumber | None
    consulted: Count | None = None
    instruction: Literal["gate", "never", "always"] = "gate"
    instructed_by: Line | None = None


class Summary(Part):
    """The fields of a manifest that are listed; each means what it means there."""

    name: Name
    version: VersionNumber
    created: Moment
    recipe_name: Name
    architecture: _Architecture
    validation: _Measured
    test: _Measured
    verdict: _Verdict
    files: dict[str, _File]


def summary_of(data: bytes, *, name: str) -> Summary:
    """The fields that are listed, of the bytes of a manifest.

    Raises:
        ManifestError: It is not a manifest, or not the one that was written.
    """
    try:
        document = from_json(data, allow_inf_nan=False)
        if is_as_sealed(document):
            return Summary.model_validate(document)
    except (ValueError, ValidationError):
        pass  # what is wrong with it is found below, and named
    # Documents from before there were digests; and damaged ones, of which this tells what is wrong.
    return Summary.model_validate(Manifest.decode(data, name=name), from_attributes=True)
