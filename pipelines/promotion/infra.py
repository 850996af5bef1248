"""The infra gate: a version is tried by a real service before it becomes champion.

What is measured and judged is the service's own business: its command `python -m service trial` is run as a process,
because no module of the pipelines may import the service. The record of the trial is stored beside the version.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from pydantic import ValidationError

from core.artifact.location import MEMORY
from core.artifact.manifest import Manifest
from core.artifact.trial import Limits, Trial
from core.errors import DamagedVersionError, UnreadableEntryError
from core.orphans import parent_death_hook
from core.shipped import ROOT
from pipelines.order import Order
from pipelines.voice import say

__all__ = ["TrialResult", "infra_gate"]

_ENDS_WITHIN = 300.0
"""Seconds that a trial may take after the services are ready; it has limits of its own, which are shorter."""

_STOPS_WITHIN = 40.0
"""Seconds after SIGTERM within which it has stopped its services."""


@dataclass(frozen=True)
class TrialResult:
    """Whether a version may be promoted, as far as its trial decides that.

    Attributes:
        allows: Whether the version may be promoted.
        words: The result as a part of a sentence, for the reason of a promotion; "" if no trial was wanted.
        next_step: What can be done about a trial that failed, likewise; "" if there is nothing to do.
        news: Whether the version was tried just now, rather than in an earlier run.
    """

    allows: bool
    words: str = ""
    next_step: str = ""
    news: bool = False

    @classmethod
    def of(cls, trial: Trial, *, news: bool = False) -> "TrialResult":
        """The result of a trial that took place. That a version failed is final, so only a person can promote it."""
        next_step = "" if trial.passed else f"models promote {trial.version} overrules it"
        return cls(trial.passed, trial.words, next_step, news)


class _NotTriedError(Exception):
    """There was no trial.

    Attributes:
        here: Whether a service can be started here at all.
    """

    def __init__(self, why: str, *, here: bool = True) -> None:
        super().__init__(why)
        self.here = here


def infra_gate(order: Order, manifest: Manifest, champion: int | None, limits: Limits) -> TrialResult:
    """Have a service try a published version, unless there is the record of a trial that still decides.

    The last record decides. A version that failed then has failed for good. One that passed beside another champion is
    tried again, beside the present one, which gives a further record. A record that cannot be understood here may say
    that the version failed: then it is not tried, nor promoted.

    Args:
        order: Says whether a trial is wanted (`infra_gate`), and where the version is published.
        manifest: That of the version.
        champion: The version that it would replace, and is measured beside; None if there is none.
        limits: What the version must keep within.

    Raises:
        RepositoryError: The repository cannot be reached.
    """
    if order.infra_gate == "off":
        return TrialResult(allows=True)
    store, version = order.store, manifest.version
    beside = champion if champion != version else None
    try:
        known = store.trial(version)
    except UnreadableEntryError as error:
        return _undecided(version, error, "make it readable")
    except DamagedVersionError as error:
        if not store.trials(version).last_is_damaged():
            return _undecided(version, error, "look with the Numeral that wrote it")
        say(f"the record of a trial is damaged, so the version is tried again: {error}")
        known = None
    if known and (known.beside == beside or not known.passed):
        say(f"tried before: {known.words}")
        return TrialResult.of(known)
    try:
        trial = _try(store.url, version, beside, limits)
    except _NotTriedError as reason:
        words = f"version {version} was not tried by a service: {reason}"
        say(words)
        return TrialResult(allows=order.infra_gate == "auto" and not reason.here, words=words)
    say(trial.words)
    if not store.record_trial(trial):
        say(
            f"the record of an earlier trial of version {version} can no longer be read, so there is none of this one; "
            "look with: python -m pipelines models verify"
        )
    return TrialResult.of(trial, news=True)


def _undecided(version: int, error: Exception, step: str) -> TrialResult:
    """A record is there, and nobody here can tell what it says."""
    words = f"the record of the trial of version {version} cannot be understood: {error}"
    say(words)
    return TrialResult(allows=False, words=words, next_step=f"{step}; or models promote {version} overrules it")


def _try(url: str, version: int, beside: int | None, limits: Limits) -> Trial:
    """Run the service's command, and read its result.

    Raises:
        _NotTriedError: There is no result.
    """
    if url == MEMORY:
        raise _NotTriedError("its repository is in the memory of this process alone", here=False)
    if find_spec("service") is None:
        raise _NotTriedError("the service is not installed here", here=False)
    options = {"repository": url, "version": version, "beside": beside} | limits.model_dump()
    given = {name.replace("_", "-"): value for name, value in options.items() if value is not None}
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    try:
        output, errors = _run([sys.executable, "-m", "service", "trial", *words, "--json"], limits)
    except OSError as error:
        raise _NotTriedError(f"no process can be started: {error}") from error
    try:
        found: Any = json.loads(output)
        if found["tried"]:
            return Trial.model_validate(found)
    except (ValueError, KeyError, TypeError, ValidationError):
        lines = errors.strip().splitlines() or ["it has not said why"]
        raise _NotTriedError(lines[-1].removeprefix("error: ")) from None
    raise _NotTriedError(str(found["words"]), here=False)


def _run(command: list[str], limits: Limits) -> tuple[str, str]:
    """The standard output and the standard error of a command.

    Raises:
        _NotTriedError: It has not ended in time.
    """
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=os.environ | {"PYTHONPATH": path},
        start_new_session=True,  # Ctrl-C is for the retraining, which then stops the trial in order
        preexec_fn=parent_death_hook(),
    )
    with process:
        seconds = limits.ready_seconds + _ENDS_WITHIN
        try:
            return process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise _NotTriedError(f"the trial has not ended within {seconds:g} s") from None
        finally:
            if process.poll() is None:
                process.terminate()  # it stops its services
                try:
                    process.wait(_STOPS_WITHIN)
                except subprocess.TimeoutExpired:
                    process.kill()  # and the system ends them with it
