"""Which versions the operator wants the service to serve."""

import re
from dataclasses import dataclass
from typing import Self

from core.artifact.repository import CHAMPION

__all__ = ["LATEST", "PINNED", "PRETRAINED_NUMBER", "UNNAMED", "Share", "Wishes"]

PRETRAINED_NUMBER = 0
"""The number of the version that ships with Numeral; those of a repository begin with 1."""


LATEST = "latest"
"""The policy that serves the newest version, promoted or not."""


PINNED = "pinned:"
"""Prefix of the policy that always serves the same version, e.g. `pinned:3`."""


UNNAMED = ""
"""The name under which a version answers that an operator has pinned: it takes the calls that name none."""


_NUMBER = r"[1-9][0-9]{0,8}"
_ALIAS = r"[A-Za-z][\w.-]{0,99}"
_NAME = re.compile(rf"{_ALIAS}|{_NUMBER}")
_POLICY = re.compile(rf"{_ALIAS}|{PINNED}{_NUMBER}")


@dataclass(frozen=True)
class Share:
    """A share of the traffic for a version.

    Attributes:
        name: A version ("3") or an alias.
        fraction: 0 to 1.
    """

    name: str
    fraction: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a share such as `challenger:10%`.

        Raises:
            ValueError: It is malformed.
        """
        name, _, percent = text.rpartition(":")
        number = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)%", percent)
        if not _NAME.fullmatch(name) or number is None or not 0 < float(number[1]) <= 100:
            raise ValueError("expected a version or an alias and its share, above 0% and at most 100%: challenger:10%")
        return cls(name, float(number[1]) / 100)


@dataclass(frozen=True)
class Wishes:
    """Which versions the operator wants the service to serve.

    Attributes:
        policy: The version that answers calls which name none: an alias, `latest`, or `pinned:3`.
        also: Further versions and aliases, which answer the calls that name them.
        canary: The version that answers a share of the calls which name none.
        shadow: The version that computes a share of the traffic once more, for comparison, and answers no call.
    """

    policy: str = CHAMPION
    also: tuple[str, ...] = ()
    canary: Share | None = None
    shadow: Share | None = None

    @classmethod
    def parse(cls, policy: str, also: str = "", canary: str | None = None, shadow: str | None = None) -> Self:
        """Parse the wishes from their settings.

        Raises:
            ValueError: One of them is malformed.
        """
        if not _POLICY.fullmatch(policy):
            raise ValueError("expected an alias such as champion, or latest, or a version: pinned:3")
        names = tuple(filter(None, (name.strip() for name in also.split(","))))
        if wrong := [name for name in names if not _NAME.fullmatch(name)]:
            raise ValueError(f"{wrong[0][:40]!r} is neither a version nor an alias; expected e.g. 3,challenger")
        return cls(policy, names, Share.parse(canary) if canary else None, Share.parse(shadow) if shadow else None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all versions that are to be loaded, each once; the policy comes first."""
        shares = (share.name for share in (self.canary, self.shadow) if share)
        return tuple(dict.fromkeys((self.policy, *self.also, *shares)))
