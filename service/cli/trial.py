"""`python -m service trial`: whether a version can be promoted, as far as a real service can tell."""

import json
import signal
import sys
from types import FrameType
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from core.artifact.repository import Repository
from core.artifact.trial import Limits, Trial
from core.errors import ConfigError
from service import settings
from service.errors import CannotTryError

__all__ = ["FAILED", "trial"]

FAILED = 3
"""The exit status if the version failed. 1 is for one that could not be tried."""

_LIMITS = Limits()


def _limit(name: str) -> Any:
    """The option of one limit."""
    return typer.Option(help=Limits.model_fields[name].description)


def trial(
    version: Annotated[int, typer.Option(help="The version to try; it need not be promoted.", min=1)],
    beside: Annotated[
        int | None, typer.Option(help="The version that is measured beside it, such as the champion.", min=1)
    ] = None,
    repository: Annotated[
        str | None, typer.Option(help="Where both are published [NUMERAL_REPOSITORY, else ./models].")
    ] = None,
    pictures: Annotated[int, typer.Option(help="How many pictures each service reads.", min=1, max=10_000)] = 100,
    ready_seconds: Annotated[float, _limit("ready_seconds")] = _LIMITS.ready_seconds,
    latency_factor: Annotated[float, _limit("latency_factor")] = _LIMITS.latency_factor,
    latency_allowance_ms: Annotated[float, _limit("latency_allowance_ms")] = _LIMITS.latency_allowance_ms,
    memory_factor: Annotated[float, _limit("memory_factor")] = _LIMITS.memory_factor,
    memory_allowance_mb: Annotated[float, _limit("memory_allowance_mb")] = _LIMITS.memory_allowance_mb,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Try a version: start a service with it, have it read pictures, and measure it beside another version.

    The services listen on free ports of this machine, have none of the settings of the service in production, and are
    stopped at the end. Nothing is written to the repository. Exit status 0 if the version passed, 3 if it failed, and
    1 if it could not be tried.
    """
    # As an exit, so that the services are stopped in order.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    limits = _limits(
        ready_seconds=ready_seconds,
        latency_factor=latency_factor,
        latency_allowance_ms=latency_allowance_ms,
        memory_factor=memory_factor,
        memory_allowance_mb=memory_allowance_mb,
    )
    url = settings.read(repository=repository).repository
    try:
        found = _conduct(Repository(url), version, beside, pictures, limits)
    except CannotTryError as error:
        if as_json:
            print(json.dumps({"tried": False, "words": str(error)}))
        raise
    if as_json:
        print(
            json.dumps({"tried": True, "passed": found.passed, "words": found.words, **found.model_dump(mode="json")})
        )
    else:
        for check in found.checks:
            print(f"{'ok    ' if check.passed else 'FAILED'}  {check.words}")
        print(f"version {version} {'passed' if found.passed else 'failed'} its trial")
    raise typer.Exit(0 if found.passed else FAILED)


def _conduct(repository: Repository, version: int, beside: int | None, pictures: int, limits: Limits) -> Trial:
    try:
        from service.trial.conduct import conduct  # here, because its imports take long, and may not be installed
    except ImportError as error:
        raise CannotTryError(
            f"no service can be started here: {error}; install it with: pip install 'numeral[service]'"
        ) from error
    return conduct(repository, version, beside, pictures, limits)


def _limits(**values: float) -> Limits:
    """The limits.

    Raises:
        ConfigError: A value is impossible.
    """
    try:
        return Limits.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(f"--{str(first['loc'][0]).replace('_', '-')} {first['input']}: {first['msg']}") from None


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
