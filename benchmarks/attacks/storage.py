"""A repository in which something hangs, is torn, is foreign, or is swapped."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.attacks.arena import Arena, took
from benchmarks.attacks.attack import Attack, Figure
from benchmarks.sides import START
from core.artifact.manifest import WEIGHTS
from core.artifact.repository import Repository

__all__ = ["BadEntries", "BitFlips", "HangingVersion", "SwappedLink", "TornAlias"]

FOLLOWED_WITHIN = 20.0
FLIPS = 60
MANIFEST = "manifest.json"


def place(models: Repository) -> Path:
    """The folder of the model's versions."""
    return Path(models.url.removeprefix("file://"), models.model)


@dataclass(frozen=True)
class Following:
    """Seconds until the version that is to serve has answered, by what happened before."""

    seconds: dict[str, float]


class HangingVersion(Attack[Following]):
    """The weights of a version are a FIFO, whose reading hangs: the next good version is served within 60 s."""

    name = "hanging-version"
    limit = 60.0

    def act(self, arena: Arena) -> Following:
        """Promote a version that hangs, and then a good one."""
        models = arena.models()
        with arena.service(models.url) as service:
            hanging, good = (arena.another(models, seed, promote=False) for seed in (1, 2))
            weights = place(models) / str(hanging) / WEIGHTS
            weights.unlink()
            os.mkfifo(weights)
            models.alias().promote(hanging, by="attack", why="it hangs")
            took(lambda: service.version() == str(hanging), 3)  # until it is being read
            models.promote(good, by="attack", why="it is good")
            return Following({"the next good version": took(lambda: service.version() == str(good), self.limit + 5)})

    def judge(self, seen: Following) -> tuple[Figure, ...]:
        """How long the good version took."""
        return tuple(Figure(f"{what} answers after", s, self.limit, "s") for what, s in seen.seconds.items())


class TornAlias(Attack[Following]):
    """The last move of the champion is torn: after a restart, the version of the last sound move answers."""

    name = "torn-alias"
    limit = FOLLOWED_WITHIN

    def act(self, arena: Arena) -> Following:
        """Tear the move, and start."""
        models = arena.models()
        sound = str(arena.another(models, 1))
        (place(models) / "aliases/champion/000099.json").write_text("{")
        with arena.service(models.url) as service:
            return Following({"the last sound champion": took(lambda: service.version() == sound, self.limit + 5)})

    judge = HangingVersion.judge


class BadEntries(Attack[Following]):
    """Odd names, copies, links, FIFOs and sockets lie among the versions: new ones are followed, also by a restart."""

    name = "bad-entries"
    limit = FOLLOWED_WITHIN

    def act(self, arena: Arena) -> Following:
        """Add the entries under a running service, and publish; then restart."""
        models = arena.models()
        with arena.service(models.url) as service:
            _litter(place(models))
            new = str(arena.another(models, 1))
            followed = took(lambda: service.version() == new, self.limit + 5)
        with arena.service(models.url) as service:
            return Following(
                {
                    "a new version": followed,
                    "the champion after a restart": took(lambda: service.version() == new, self.limit + 5),
                }
            )

    judge = HangingVersion.judge


def _litter(folder: Path) -> None:
    """What copies, mistakes and other programs leave among versions."""
    odd = os.fsencode(folder) + b"/\xff\xfe\x80"
    os.mkdir(odd)  # noqa: PTH102 — pathlib has no names that are not text
    for name in ("1 (copy)", "01", "٣", "latest", ".5", "-3", "9" * 60):
        (folder / name).mkdir()
    (folder / "1 (copy)" / MANIFEST).write_bytes((folder / "1" / MANIFEST).read_bytes())
    (folder / "501").symlink_to("nowhere")
    (folder / "502").symlink_to("502")
    (folder / "503").symlink_to("/proc/self")
    (folder / "504").write_text("a file")
    (folder / "505").mkdir()
    (folder / "505" / MANIFEST).mkdir()
    os.mkfifo(folder / "506")
    (folder / "507").mkdir()
    (folder / "507" / MANIFEST).write_bytes(b"\xff\xfe{")
    (folder / "508").mkdir(mode=0)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(folder / "509"))


class SwappedLink(Attack[Following]):
    """The repository is a symbolic link, which is swapped for another: the champion of the new target answers."""

    name = "swapped-link"
    limit = FOLLOWED_WITHIN

    def act(self, arena: Arena) -> Following:
        """Swap the link under a running service, as deployments do."""
        arena.models("old")
        new = arena.models("new")
        champion = str(arena.another(new, 1))
        link, swapped = arena.folder / "current", arena.folder / "next"
        link.symlink_to("old")
        with arena.service(str(link)) as service:
            took(service.version, START)
            swapped.symlink_to("new")
            swapped.replace(link)
            return Following({"the new target's champion": took(lambda: service.version() == champion, self.limit + 5)})

    judge = HangingVersion.judge


@dataclass(frozen=True)
class Flipped:
    """Manifests with one bit flipped: how many there were, and how many of them were served."""

    flips: int
    served: int


class BitFlips(Attack[Flipped]):
    """One bit of each of 60 manifests is flipped: none of these versions is served under its alias."""

    name = "bit-flips"

    def act(self, arena: Arena) -> Flipped:
        """Give each version an alias, flip its bit, and have the service load all aliases."""
        models, random = arena.models(), Random(0)  # noqa: S311 — nothing secret
        names = []
        for seed in range(FLIPS + 1):
            number = arena.another(models, seed, promote=False)
            names.append(f"flipped-{number}")
            models.promote(number, by="attack", why="to be loaded", alias=names[-1])
            if seed < FLIPS:  # the last one is sound, and shows when those before it were looked at
                _flip(place(models) / str(number) / MANIFEST, random)
        *flipped, sound = names
        with arena.service(models.url, "--serve-also", ",".join(names)) as service:
            took(lambda: service.version(sound), START)
            return Flipped(FLIPS, sum(bool(service.version(name)) for name in flipped))

    def judge(self, seen: Flipped) -> tuple[Figure, ...]:
        """The damaged versions that are served."""
        return (Figure(f"of {seen.flips} damaged versions, served", seen.served, 0, "versions"),)


def _flip(file: Path, random: Random) -> None:
    data = bytearray(file.read_bytes())
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    file.write_bytes(data)
