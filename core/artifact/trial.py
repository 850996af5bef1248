"""The trial of a version: what a real service did with it before it became champion, kept beside the version.

    <repository>/<name>/7/trial.json      written once, after the manifest, and never overwritten

A further trial, beside another champion, has a record of its own, see `core.artifact.trial_log`.

The service writes this document to its standard output, the pipelines read it there and store it. So both sides, which
know nothing of each other, agree on it here.
"""

from typing import Annotated, Self

from pydantic import Field, ValidationError

from core.artifact.fields import Count, Digest, Line, Moment, Name, Part, VersionNumber
from core.artifact.sealed import opened, sealed
from core.errors import ManifestError

__all__ = ["TRIAL", "Check", "Limits", "Measured", "Trial"]

TRIAL = "trial.json"
"""The name of the file of the first trial, within the folder of the version."""

Figure = Annotated[float, Field(ge=0, le=1e9)]
"""A duration or a size that was measured."""


class Limits(Part):
    """What a version must keep within.

    The allowances are what a busy machine adds by chance: a version that is measured beside itself, while other
    programs take every core, differs by less (see docs/decisions/0019-the-trial.md).
    """

    ready_seconds: float = Field(
        180.0, gt=0, le=3600, description="Seconds within which a service that starts with the version must be ready."
    )
    latency_factor: float = Field(
        2.0, ge=1, le=1e6, description="How many times as long as with the champion a slow call may take (p99)."
    )
    latency_allowance_ms: float = Field(
        5.0, ge=0, le=1e6, description="Milliseconds that a slow call may take in addition."
    )
    memory_factor: float = Field(
        1.5, ge=1, le=1e6, description="How many times as much memory as with the champion a service may take."
    )
    memory_allowance_mb: float = Field(
        64.0, ge=0, le=1e9, description="Megabytes (1,048,576 bytes) that it may take in addition."
    )


class Check(Part):
    """One thing that was looked at.

    Attributes:
        name: Such as "latency".
        found: What was found, in words.
        wanted: What was wanted, likewise.
        passed: Whether the first satisfies the second.
    """

    name: Name
    found: Line
    wanted: Line
    passed: bool

    @property
    def words(self) -> str:
        """The check as a part of a sentence."""
        return f"{self.name}: {self.found}" + ("" if self.passed else f", expected {self.wanted}")


class Measured(Part):
    """The figures of one service.

    Attributes:
        ready_seconds: From the start of its process until it could answer; None if it never could.
        answered: How many of the pictures it answered.
        p50_ms: The median of the times that it took for them, in milliseconds; None if it answered none.
        p99_ms: The time that one picture in a hundred takes longer than.
        memory_mb: The most resident memory that its process had, in megabytes (1,048,576 bytes); None if unknown.
    """

    ready_seconds: Figure | None
    answered: Count
    p50_ms: Figure | None
    p99_ms: Figure | None
    memory_mb: Figure | None


class Trial(Part):
    """What a real service did with a version.

    Attributes:
        version: The version that was tried.
        weights_sha256: The digest of its weights; None if its manifest cannot be read.
        beside: The version that was measured beside it; None if there was none, or it could not be served.
        at: When.
        pictures: How many different pictures each service was asked to read.
        checks: What was looked at; later checks are missing where an earlier one leaves nothing to look at.
        candidate: The figures of the service with the version.
        champion: Those of the service with `beside`.
    """

    version: VersionNumber
    weights_sha256: Digest | None
    beside: VersionNumber | None
    at: Moment
    pictures: Count
    checks: tuple[Check, ...] = Field(min_length=1, max_length=100)
    candidate: Measured
    champion: Measured | None = None

    @property
    def passed(self) -> bool:
        """Whether every check was passed."""
        return all(check.passed for check in self.checks)

    @property
    def words(self) -> str:
        """The result as one sentence without its full stop."""
        shown = self.checks if self.passed else [check for check in self.checks if not check.passed]
        result = "passed" if self.passed else "failed"
        return f"the trial of version {self.version} by a service {result}: {'; '.join(c.words for c in shown)}"

    def encode(self) -> bytes:
        """The bytes of the file: indented JSON, UTF-8, with its digest as the last field."""
        return sealed(self.model_dump(mode="json"))

    @classmethod
    def decode(cls, data: bytes, *, name: str = TRIAL) -> Self:
        """Parse and validate the bytes of a trial.

        Raises:
            ManifestError: It is not JSON, a field is missing or impossible, or it is not what was written.
        """
        try:
            return cls.model_validate(opened(data, known=cls.model_fields))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            finding = f"{'.'.join(map(str, first['loc']))[:80] or 'the document'}: {first['msg']}"
        except ValueError as error:
            finding = str(error)
        raise ManifestError(f"{name}: not the record of a trial: {finding}")
