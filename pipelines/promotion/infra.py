"""The infra gate: a version is tried by a real service before it becomes champion.

What is measured and judged is the service's own business: its command `python -m service trial` is run as a process,
because no module of the pipelines may import the service. The record of the trial is stored beside the version.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.artifact.location import MEMORY
from core.artifact.manifest import Manifest
from core.artifact.repository import Repository
from core.artifact.trial import Check, Limits, Trial
from core.errors import DamagedVersionError, UnreadableEntryError
from core.orphans import dies_with_parent
from pipelines.order import Order
from pipelines.recipe import load_recipe
from pipelines.settings import ROOT
from pipelines.voice import say

__all__ = ["TrialResult", "infra_gate"]

_ENDS_WITHIN = 300.0
"""Seconds that a trial may take after the services are ready; it has limits of its own, which are shorter."""

_STOPS_WITHIN = 40.0
"""Seconds after SIGTERM within which it has stopped its services."""


class TrialResult(BaseModel):
    """Whether a version may be promoted, as far as its trial decides that.

    Attributes:
        outcome: What became of the trial; "off" if none was wanted.
        allows: Whether the version may be promoted.
        words: The result as a part of a sentence, for the reason of a promotion; "" if no trial was wanted.
        checks: What was looked at; none without a trial.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Literal["passed", "failed", "untried", "off"]
    allows: bool
    words: str = ""
    checks: tuple[Check, ...] = ()

    @classmethod
    def of(cls, trial: Trial) -> "TrialResult":
        """The result of a trial that took place."""
        outcome: Literal["passed", "failed"] = "passed" if trial.passed else "failed"
        return cls(outcome=outcome, allows=trial.passed, words=trial.words, checks=trial.checks)


class _NotTriedError(Exception):
    """There was no trial.

    Attributes:
        here: Whether a service can be started here at all.
    """

    def __init__(self, why: str, *, here: bool = True) -> None:
        super().__init__(why)
        self.here = here


def infra_gate(order: Order, manifest: Manifest, champion: int | None) -> TrialResult:
    """Have a service try a published version, unless the record of a trial is there already.

    Args:
        order: Says whether a trial is wanted (`infra_gate`), and where the version is published.
        manifest: That of the version.
        champion: The version that it would replace, and is measured beside; None if there is none.

    Raises:
        RepositoryError: The repository cannot be reached.
    """
    if order.infra_gate == "off":
        return TrialResult(outcome="off", allows=True)
    store, version = order.store, manifest.version
    if known := _on_record(store, version):
        say(f"tried before: {known.words}")
        return TrialResult.of(known)
    limits = load_recipe(order.recipe, order.overrides).promotion.trial
    try:
        trial = _try(store.url, version, champion if champion != version else None, limits)
    except _NotTriedError as reason:
        words = f"version {version} was not tried by a service: {reason}"
        say(words)
        return TrialResult(outcome="untried", allows=order.infra_gate == "auto" and not reason.here, words=words)
    store.record_trial(trial)
    say(trial.words)
    return TrialResult.of(trial)


def _on_record(store: Repository, version: int) -> Trial | None:
    try:
        return store.trial(version)
    except (DamagedVersionError, UnreadableEntryError) as error:
        say(f"the record of a trial is damaged, so the version is tried again: {error}")
        return None


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
        preexec_fn=dies_with_parent(),
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
