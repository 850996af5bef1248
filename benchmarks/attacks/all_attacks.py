"""Every attack, in the order in which they run."""

import tempfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from benchmarks.attacks.arena import Arena
from benchmarks.attacks.attack import Attack, Verdict
from benchmarks.attacks.crowd import ThousandsOfVersions
from benchmarks.attacks.lifecycle import Outage, Restarts, SharedMetricsPort, StoppedWorker
from benchmarks.attacks.load import CostlyPictures, ShortDeadlines
from benchmarks.attacks.options import ImpossibleSettings
from benchmarks.attacks.secrets import ExpiredCertificate, RevokedToken
from benchmarks.attacks.storage import BadEntries, BitFlips, HangingVersion, SwappedLink, TornAlias
from benchmarks.attacks.streams import UnreadInferStreams, UnreadStreams
from benchmarks.attacks.texts import HostileTexts, MalformedMessages
from core.errors import ConfigError

__all__ = ["ATTACKS", "chosen", "verdicts"]

ATTACKS: tuple[type[Attack[Any]], ...] = (
    UnreadStreams,
    UnreadInferStreams,
    Restarts,
    CostlyPictures,
    ShortDeadlines,
    ExpiredCertificate,
    RevokedToken,
    Outage,
    StoppedWorker,
    SharedMetricsPort,
    HangingVersion,
    TornAlias,
    BadEntries,
    SwappedLink,
    BitFlips,
    ThousandsOfVersions,
    HostileTexts,
    MalformedMessages,
    ImpossibleSettings,
)


def chosen(pattern: str) -> list[type[Attack[Any]]]:
    """The attacks whose names match a pattern.

    Raises:
        ConfigError: None does.
    """
    found = [attack for attack in ATTACKS if fnmatchcase(attack.name, pattern)]
    if not found:
        known = ", ".join(attack.name for attack in ATTACKS)
        raise ConfigError(f"no attack matches {pattern!r}; known: {known}")
    return found


def verdicts(attacks: Sequence[type[Attack[Any]]], base: Path, seconds: float) -> Iterator[Verdict]:
    """Carry out attacks one after the other, each in a folder of its own.

    Args:
        attacks: The attacks.
        base: The folder of a repository with a champion, which each attack gets a copy of.
        seconds: How long an attack that could go on for ever goes on.
    """
    for attack in attacks:
        with tempfile.TemporaryDirectory(prefix=f"numeral-{attack.name}-") as temporary:
            yield attack().run(Arena(Path(temporary), base, seconds))
