"""The few fields of a manifest that a list of versions shows. A repository may hold thousands of them.

A whole manifest takes a millisecond to validate. Here its digest is checked, which shows that it is what was once
validated and written, and then the few fields that are listed.

The digest is that of the canonical JSON, which takes most of the time. So a caller that reads the same manifests again
may keep the sha256 of the bytes of those whose digest was right: see `pipelines.versions.checked`.
"""

import hashlib
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


def summary_of(data: bytes, *, name: str, checked: set[bytes] | None = None) -> Summary:
    """The fields that are listed, of the bytes of a manifest.

    Args:
        data: The manifest.
        name: What errors call it.
        checked: The sha256, 32 bytes each, of manifests whose own digest was found right before. That of one which
            holds these very bytes is not computed again; the sha256 of any other that is right is added.

    Raises:
        ManifestError: It is not a manifest, or not the one that was written.
    """
    try:
        key = None if checked is None else hashlib.sha256(data).digest()
        if checked is not None and key in checked:
            return Summary.model_validate_json(data)
        document = from_json(data, allow_inf_nan=False)
        if is_as_sealed(document):
            summary = Summary.model_validate(document)
            if checked is not None and key is not None:
                checked.add(key)
            return summary
    except (ValueError, ValidationError):
        pass  # what is wrong with it is found below, and named
    # Documents from before there were digests; and damaged ones, of which this tells what is wrong.
    return Summary.model_validate(Manifest.decode(data, name=name), from_attributes=True)
