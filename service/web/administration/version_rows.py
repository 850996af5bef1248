"""The versions of a repository, as the rows of a list."""

from dataclasses import dataclass

from service.client import Versions, VersionSummary

__all__ = ["MANY", "Row", "rows"]

MANY = 1000
"""Versions that are asked for at most."""


@dataclass(frozen=True)
class Row:
    """One version in the list.

    Attributes:
        summary: What the service says of it.
        served: Whether it answers calls that name no version.
        pinned: Whether an administrator has pinned it.
        by_hand: Whether an administrator has loaded it beside what the policy serves.
    """

    summary: VersionSummary
    served: bool
    pinned: bool
    by_hand: bool


def rows(found: Versions) -> list[Row]:
    """The versions of the list, the served one marked."""
    return [
        Row(
            one,
            served=one.version == found.serving,
            pinned=one.version == found.pinned,
            by_hand=one.version in found.loaded_by_hand,
        )
        for one in found.versions
    ]
