"""The page under load: many people who draw at once, on the cores that also serve them."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from benchmarks import sides
from benchmarks.people_drawing import Answers, Drawing, drawings, session
from benchmarks.result import Result
from benchmarks.runner import people
from core.artifact.repository import Repository
from core.errors import ConfigError
from service.client import Recognizer

__all__ = ["measure"]

LATENCY_LIMIT = 150.0
"""Milliseconds within which 95 of 100 answers must be there."""

SETTLE_SECONDS = 6.0
"""Seconds of drawing in each round before anything is measured."""


def measure(crowd: int, seconds: float, rounds: int, repository: str | None) -> list[Result]:
    """Let people draw, and measure how long they wait for the answers.

    Args:
        crowd: How many people draw at once.
        seconds: How long, in each round.
        rounds: How often.
        repository: Whose champion answers; None for the version that ships with Numeral.

    Raises:
        ConfigError: A server does not start, or an answer failed.
    """
    drawn = drawings(max(50, crowd))
    with tempfile.TemporaryDirectory(prefix="numeral-web-") as folder:
        models = Repository(repository or str(Path(folder) / "models"), writable=True)
        with sides.numeral(models) as service, sides.web(service) as web:
            with Recognizer(f"127.0.0.1:{service.port}") as client:
                model = client.model()
            people.print(f"{crowd} people draw; version {model.version} ({model.recipe}) answers", style="dim")
            found = []
            for number in range(rounds):
                people.print(f"round {number + 1} of {rounds}", style="dim")
                found.append(asyncio.run(_crowd(web.port, drawn, crowd, seconds, number + 1)))
    failed = {status: count for answers in found for status, count in answers.failed.items()}
    if failed:
        people.print(f"failed, by status: {failed}", style="red", markup=False)
    return _results(found, crowd, seconds)


async def _crowd(port: int, drawn: Sequence[Drawing], crowd: int, seconds: float, seed: int) -> Answers:
    answers, whole = Answers(since=perf_counter() + SETTLE_SECONDS), SETTLE_SECONDS + seconds
    await asyncio.gather(*(session(port, drawn, whole, seed * 10_007 + person, answers) for person in range(crowd)))
    return answers


def _results(found: Sequence[Answers], crowd: int, seconds: float) -> list[Result]:
    case = f"{crowd} people"
    slow = median(_percentile(answers.all, 95) for answers in found)
    lifted = median(_percentile(answers.finished, 95) for answers in found)
    explained = median(_percentile(answers.explained, 95) for answers in found)
    rate = median(len(answers.all) / seconds for answers in found)
    right = sum(answers.right for answers in found) / max(1, sum(len(answers.finished) for answers in found))
    limit = LATENCY_LIMIT
    return [
        Result(f"{case}: p95 of an answer", "limit", round(slow), limit, "ms", round(limit / slow, 2)),
        Result(f"{case}: p95 from lifting the pen", "limit", round(lifted), limit, "ms", round(limit / lifted, 2)),
        Result(f"{case}: p95 of an explanation", "no limit", round(explained), None, "ms", None),
        Result(f"{case}: answers", "no limit", round(rate), None, "answers/s", None),
        Result(f"{case}: read right", "no limit", round(100 * right, 1), None, "%", None),
    ]


def _percentile(seconds: Sequence[float], share: int) -> float:
    """In milliseconds.

    Raises:
        ConfigError: There are no answers to measure.
    """
    if len(seconds) < 2:
        raise ConfigError("too few answers to measure; let people draw for longer")
    return 1000 * quantiles(seconds, n=100, method="inclusive")[share - 1]
