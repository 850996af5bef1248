"""Thousands of versions, none of which is wanted."""

import os
import re
from dataclasses import dataclass
from time import sleep

from benchmarks.attacks.arena import Arena, took
from benchmarks.attacks.attack import Attack, Figure
from benchmarks.attacks.storage import MANIFEST, place
from benchmarks.sides import START
from core.artifact.repository import Repository

__all__ = ["ThousandsOfVersions"]

VERSIONS = 2001
IDLE_SHARE = 0.05
SETTLING = 3.0


@dataclass(frozen=True)
class Idle:
    """The processor time of an idle service, in seconds, and the seconds that passed."""

    busy: float
    seconds: float


class ThousandsOfVersions(Attack[Idle]):
    """A repository holds 2,001 versions: the idle service uses at most 5% of a core."""

    name = "thousands-of-versions"

    def act(self, arena: Arena) -> Idle:
        """Let the service be idle beside them."""
        models = arena.models()
        _multiply(models)
        with arena.service(models.url) as service:
            took(service.version, START)
            sleep(SETTLING)
            seconds = min(arena.seconds, 20)
            before = service.processor()
            sleep(seconds)
            return Idle(service.processor() - before, seconds)

    def judge(self, seen: Idle) -> tuple[Figure, ...]:
        """The share of a core."""
        return (Figure("share of a core while idle", seen.busy / seen.seconds, IDLE_SHARE, "cores"),)


def _multiply(models: Repository) -> None:
    """Copy the first version until there are enough; all files but the manifest are links to the same ones."""
    first = place(models) / str(models.champion())
    text = (first / MANIFEST).read_text()
    for number in range(models.champion() + 1, VERSIONS + 1):
        copy = first.with_name(str(number))
        copy.mkdir()
        for file in first.iterdir():
            if file.name != MANIFEST:
                os.link(file, copy / file.name)
        (copy / MANIFEST).write_text(re.sub(r'("version": *)\d+', rf"\g<1>{number}", text, count=1))
