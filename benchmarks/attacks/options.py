"""Settings that cannot be met."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.attacks.arena import Arena, Service, took
from benchmarks.attacks.attack import Attack, Figure

__all__ = ["ImpossibleSettings"]

DECIDES_WITHIN = 10.0
REFUSED = 2
"""The exit status for settings that are impossible."""


@dataclass(frozen=True)
class Starts:
    """What became of each setting: serves, waits, refused in a sentence, a traceback, another status, or none."""

    outcomes: dict[str, str]


class ImpossibleSettings(Attack[Starts]):
    """Impossible settings: each is refused in a sentence, with status 2, or the service says what it waits for."""

    name = "impossible-settings"

    def act(self, arena: Arena) -> Starts:
        """Start a service with each."""
        models = arena.models().url
        loop = arena.folder / "loop"
        loop.symlink_to("loop")
        settings: dict[str, tuple[str, *tuple[object, ...]]] = {
            "--max-picture-bytes 3000000000": (models, "--max-picture-bytes", 3_000_000_000),
            "--max-picture-bytes 99999999999, 2 workers": (
                *(models, "--max-picture-bytes", 99_999_999_999),
                *("--workers", 2),
            ),
            "--max-waiting 1e30": (models, "--max-waiting", 10**30),
            "--drain-seconds 1e300": (models, "--drain-seconds", 1e300),
            "--poll-seconds 1e300": (models, "--poll-seconds", 1e300),
            **{f"--repository {url}": (url,) for url in ("ftp://x/y", "s3:/b/x", "C:\\models", "http://x", "s3://")},
            "--repository with a loop of links": (str(loop),),
            "--repository that is a file": (str(Path(__file__)),),
        }
        return Starts({what: self._outcome(arena, *options) for what, options in settings.items()})

    def _outcome(self, arena: Arena, repository: str, *options: object) -> str:
        service = arena.start(repository, *options)
        try:
            took(lambda: service.process.poll() is not None or _answers(service), DECIDES_WITHIN)
            if "Traceback" in service.log:
                return "traceback"
            status = service.process.poll()
            if status is None and "cannot find its folder" in service.log:
                return "waits"  # for a disk that is mounted late, for example
            if status is None:
                return "serves" if _answers(service) else "neither serves nor ends"
            return "refused" if status == REFUSED and "error: " in service.log else f"status {status}"
        finally:
            service.kill()

    def judge(self, seen: Starts) -> tuple[Figure, ...]:
        """The settings that end otherwise."""
        sound = ("serves", "refused", "waits")
        odd = {what: outcome for what, outcome in seen.outcomes.items() if outcome not in sound}
        named = "".join(f"; {what}: {outcome}" for what, outcome in odd.items())
        return (Figure(f"of {len(seen.outcomes)} settings, ended otherwise{named}", len(odd), 0, "settings"),)


def _answers(service: Service) -> bool:
    return service.listens() and bool(service.version())
