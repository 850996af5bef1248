"""What the checks of `make compose-test` say: a sentence for each, and how many of them have failed."""

import time
from collections.abc import Callable, Iterable

import httpx

from core.errors import NumeralError

__all__ = ["Part", "Probe", "run_parts"]


class Probe:
    """Prints the result of every check, and counts the failures."""

    def __init__(self) -> None:
        self.checks = self.failures = 0

    def check(self, good: bool, sentence: str, found: object = "") -> None:
        """One check; `found` is printed if it fails."""
        self.checks += 1
        self.failures += not good
        _say(f"  ok      {sentence}" if good else f"  FAILED  {sentence}; found: {found}")


Part = tuple[str, Callable[[Probe], None]]
"""A title, and the checks below it."""


def run_parts(name: str, parts: Iterable[Part]) -> int:
    """Run all checks; gives the exit status, 0 if they pass."""
    probe, started = Probe(), time.monotonic()
    for title, check in parts:
        _say(f"\n{title} [{time.monotonic() - started:.0f} s]")
        try:
            check(probe)
        except (NumeralError, OSError, RuntimeError, httpx.HTTPError, LookupError, ValueError) as error:
            probe.check(good=False, sentence="this part ran to its end", found=repr(error))
    if probe.failures:
        _say(f"\ncompose-test: {name}: FAILED: {probe.failures} of {probe.checks} checks failed, see above")
    else:
        _say(f"\ncompose-test: {name}: passed: {probe.checks} checks in {time.monotonic() - started:.0f} s")
    return 1 if probe.failures else 0


def _say(sentence: str) -> None:
    print(sentence, flush=True)
