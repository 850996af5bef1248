"""What was found to be wrong with a repository; see `core.artifact.repair`."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Finding", "subject"]


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a version, an alias, or the folder of all aliases.

    Attributes:
        version: The version; None if it is about aliases.
        alias: The alias; None if it is about a version, or about all aliases.
        fault: What is wrong.
        remedy: What `repair` does about it, or what a person has to do.
        repair: Does it; None if a person has to.
    """

    version: int | None
    alias: str | None
    fault: str
    remedy: str
    repair: Callable[[], object] | None

    @property
    def name(self) -> str:
        """What it is about, in words."""
        return subject(self.version, self.alias)


def subject(version: int | None, alias: str | None) -> str:
    """What a finding about this version or this alias is about, in words."""
    if alias is not None:
        return f"alias {alias}"
    return "the aliases" if version is None else f"version {version}"
