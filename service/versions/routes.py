"""Which version answers which call, at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from service.loaded import Loaded


@dataclass(frozen=True)
class VersionStatus:
    """What one version is to the service.

    Attributes:
        version: As replies name it.
        state: Whether it answers calls.
        reason: Why it does not; "" where it does.
        aliases: The repository's names for it.
    """

    version: str
    state: Literal["READY", "LOADING", "UNAVAILABLE"]
    reason: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Routes:
    """Which version answers which call, at one moment.

    Attributes:
        named: What is loaded, under the names that whoever runs the service gave; that of the policy is among them.
        versions: All that is loaded, by number.
        known: The versions that the repository holds.
        aliases: Where the repository's aliases point.
        reasons: Why versions are not loaded.
        closed: Why nothing is to be served; "" as long as something is.
    """

    named: Mapping[str, Loaded] = field(default_factory=dict)
    versions: Mapping[int, Loaded] = field(default_factory=dict)
    known: frozenset[int] = frozenset()
    aliases: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)
    closed: str = ""
