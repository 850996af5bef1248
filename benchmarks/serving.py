"""The service under load, compared with other model servers and with a bare Python handler."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from statistics import median
from threading import Event, Thread

import grpc
import numpy as np

from benchmarks import rest, sides, versions
from benchmarks.digits import DIGITS
from benchmarks.h2load import Load, framed, load
from benchmarks.result import Result
from benchmarks.runner import people
from core.artifact.repository import Repository
from core.data import mnist
from core.errors import ConfigError
from protos.numeral.v1.recognizer_pb2 import (
    Picture,
    RecognizeBatchRequest,
    RecognizeRequest,
    RecognizeStreamRequest,
)

__all__ = ["measure"]

OURS, INFER = "/numeral.v1.Recognizer/", "/inference.GRPCInferenceService/ModelInfer"
BATCH, MESSAGES = 64, 100
PATIENCE = 0.5
"""Seconds between two swaps while calls are made."""

READY_LIMIT, MEMORY_LIMIT, SWAP_LIMIT = 1.5, 120, 1.5
"""Limits: seconds until ready, MB per process, and the factor by which swaps may lengthen the slowest calls."""


@dataclass(frozen=True)
class Case:
    """How calls are made.

    Attributes:
        name: The name for `--case`.
        connections: The number of connections.
        streams: Calls in flight on each connection.
        images: Images in one message.
        share: The share of `--calls` that is made, so that all cases take about as long.
        unit: The unit of the figure.
        method: The method that is called on our side and on bare handlers; on other model servers, it is ModelInfer.
    """

    name: str
    connections: int
    streams: int
    images: int
    share: float
    unit: str
    method: str

    def figure(self, found: Load) -> float:
        """The figure that is compared."""
        return found.middle if self.unit == "µs" else found.rate * self.images


SINGLE = Case("calls-64", 16, 4, 1, 1.0, "calls/s", OURS + "Recognize")
LONE = Case("lone-call", 1, 1, 1, 0.25, "µs", OURS + "Recognize")
BATCHES = Case("batches-64", 8, 1, BATCH, 0.1, "images/s", OURS + "RecognizeBatch")
TENSORS = Case("tensors-64", 8, 1, BATCH, 0.1, "images/s", INFER)
CASES = (SINGLE, LONE, BATCHES, TENSORS)
OTHERS = ("stream", "swaps", "ready", "memory", *rest.CASES)


@dataclass(frozen=True)
class _Peer:
    name: str
    start: Callable[[], AbstractContextManager[sides.Side]] | None  # None if it is not installed
    method: str
    cases: tuple[Case, ...]
    package: str = ""


def measure(pattern: str, rounds: int, calls: int, repository: str | None) -> list[Result]:
    """Measure all cases that match a pattern.

    Args:
        pattern: A pattern as for file names, e.g. `calls*`.
        rounds: How often each side is measured.
        calls: Calls per side and round in the fastest case; the others make a share of it.
        repository: A repository whose champion is the 784-128-10 network; None trains one.

    Raises:
        ConfigError: No case matches, h2load is not installed, or our service does not start.
    """
    wanted = {name for name in (*(case.name for case in CASES), *OTHERS) if fnmatchcase(name, pattern)}
    if not wanted:
        raise ConfigError(f"no case matches {pattern!r}; known: {', '.join([c.name for c in CASES] + list(OTHERS))}")
    with tempfile.TemporaryDirectory(prefix="numeral-serving-") as temporary:
        folder = Path(temporary)
        models = Repository(repository, writable=True) if repository else versions.trained(folder / "models")
        return _measure(wanted, rounds, calls, models, folder)


def _measure(wanted: set[str], rounds: int, calls: int, models: Repository, folder: Path) -> list[Result]:
    sides.write_plain_weights(models, models.manifest(models.champion()), folder)
    images = mnist.load(DIGITS).test_images.reshape(-1, 784)
    results: list[Result] = []
    with sides.numeral(models) as we:
        reply = sides.call(
            we.port, OURS + "Recognize", RecognizeRequest(pixels=images[0].tobytes()).SerializeToString()
        )
        peers = _peers(folder, reply)
        for case in (case for case in CASES if case.name in wanted):
            results += _against_peers(case, we, [p for p in peers if case in p.cases], images, rounds, calls)
        if "stream" in wanted:
            results.append(_stream(we, images, rounds, calls))
        if "swaps" in wanted:
            results.append(_swaps(we, models, images, calls))
        results += rest.measure(wanted, we, images, folder, rounds, calls)
        if "memory" in wanted:
            most = max(sides.resident(pid) for pid in sides.family(we.pid))
            results.append(_limit("memory of a process after all of this", round(most), MEMORY_LIMIT, "MB"))
    if "ready" in wanted:
        results.append(_limit("from start to ready", round(median(_starts(models, rounds)), 2), READY_LIMIT, "s"))
    return results


def _peers(folder: Path, reply: bytes) -> list[_Peer]:
    one = (SINGLE, LONE)
    found = [
        _Peer(f"bare grpcio, {kind}", partial(sides.bare, kind, reply), OURS + "Recognize", one)
        for kind in ("asyncio", "threads")
    ]
    for name, package, start in (("MLServer", "mlserver", sides.mlserver), ("Triton", "pytriton", sides.triton)):
        python = sides.interpreter(package)
        found.append(_Peer(name, partial(start, python, folder) if python else None, INFER, CASES, package))
    return found


def _against_peers(
    case: Case, we: sides.Side, peers: Sequence[_Peer], images: np.ndarray, rounds: int, calls: int
) -> list[Result]:
    """Measure one peer after the other, because idle servers take memory. The side that is not measured is paused."""
    results = []
    for peer in peers:
        ours, theirs = [], []
        try:
            with _started(peer) as they:
                message = _message(case, peer.method, images)
                _until_it_answers(they.port, peer.method, message)
                for number in range(rounds):
                    people.print(f"{case.name}: {peer.name}, round {number + 1} of {rounds}", style="dim")
                    with sides.asleep(they):
                        ours.append(_ours(case, we, images, calls))
                    with sides.asleep(we):
                        theirs.append(_figure(case, they.port, peer.method, message, calls))
        except _AbsentError as error:
            people.print(f"{case.name}: {peer.name} is not measured: {error}", style="red", markup=False)
            results.append(Result(case.name, peer.name, round(_ours(case, we, images, calls)), None, case.unit, None))
        else:
            results.append(_result(case.name, peer.name, ours, theirs, case.unit))
    return results


class _AbsentError(Exception):
    """A peer is not installed, or does not start."""


@contextmanager
def _started(peer: _Peer) -> Iterator[sides.Side]:
    if peer.start is None:
        raise _AbsentError(f"not installed; NUMERAL_BENCH_{peer.package.upper()} may name a Python that has it")
    with ExitStack() as stack:
        try:
            side = stack.enter_context(peer.start())
        except ConfigError as error:
            raise _AbsentError(str(error)) from error
        yield side


def _ours(case: Case, we: sides.Side, images: np.ndarray, calls: int) -> float:
    message = _message(case, case.method, images)
    sides.call(we.port, case.method, message)
    return _figure(case, we.port, case.method, message, calls)


def _figure(case: Case, port: int, method: str, message: bytes, calls: int) -> float:
    count = max(100, round(calls * case.share))
    return case.figure(
        load(port, method, framed(message), calls=count, connections=case.connections, streams=case.streams)
    )


def _message(case: Case, method: str, images: np.ndarray) -> bytes:
    chosen = images[: case.images]
    if method == INFER:
        return sides.infer_request(chosen)
    if case.images == 1:
        return RecognizeRequest(pixels=chosen.tobytes()).SerializeToString()
    return RecognizeBatchRequest(pictures=[Picture(pixels=image.tobytes()) for image in chosen]).SerializeToString()


def _until_it_answers(port: int, method: str, message: bytes) -> None:
    """Wait until calls succeed: some servers listen long before their model is loaded."""
    last: Exception | None = None
    for _ in range(60):
        try:
            sides.call(port, method, message)
        except grpc.RpcError as error:
            last = error
            Event().wait(0.5)
        else:
            return
    raise _AbsentError(f"{method} gets no answer: {last}")


def _stream(we: sides.Side, images: np.ndarray, rounds: int, calls: int) -> Result:
    """Messages on streams compared with unary calls, with as many in flight."""
    request = RecognizeRequest(pixels=images[0].tobytes())
    body = framed(RecognizeStreamRequest(request=request).SerializeToString()) * MESSAGES
    ours, theirs = [], []
    for _ in range(rounds):
        found = load(
            we.port, OURS + "RecognizeStream", body, calls=max(32, calls // MESSAGES), connections=16, streams=4
        )
        ours.append(found.rate * MESSAGES)
        theirs.append(_ours(SINGLE, we, images, calls))
    return _result("stream", "our own unary calls", ours, theirs, "images/s")


def _swaps(we: sides.Side, models: Repository, images: np.ndarray, calls: int) -> Result:
    """The latency of the slowest calls during swaps, compared with that without swaps."""
    body = framed(RecognizeRequest(pixels=images[0].tobytes()).SerializeToString())
    some = partial(load, we.port, OURS + "Recognize", body, calls=calls, connections=16, streams=4)
    steady = some().p99
    with _swapping(models):
        swapping = some().p99
    ratio = round(steady * SWAP_LIMIT / swapping, 2)
    case = f"p99 during a swap every {PATIENCE:g} s, against {SWAP_LIMIT:g} times that of no swap"
    return Result(case, "limit", round(swapping), round(steady * SWAP_LIMIT), "µs", ratio)


@contextmanager
def _swapping(models: Repository) -> Iterator[None]:
    """Promote two versions alternately, for as long as the context lasts."""
    first = models.champion()
    other, enough = versions.another(models, models.manifest(first), seed=1), Event()

    def turns() -> None:
        number = 0
        while not enough.wait(PATIENCE):
            number += 1
            models.promote(other if number % 2 else first, by="benchmarks", why="a swap")

    thread = Thread(target=turns)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def _starts(models: Repository, rounds: int) -> Iterator[float]:
    for _ in range(rounds):
        with sides.numeral(models) as side:
            yield side.seconds


def _result(case: str, peer: str, ours: Sequence[float], theirs: Sequence[float], unit: str) -> Result:
    """Ratios above 1 mean that we are better: for rates, larger is better; for times, smaller."""
    pairs = [(b, a) if unit == "µs" else (a, b) for a, b in zip(ours, theirs, strict=True)]
    ratios = [a / b for a, b in pairs]
    middle = median(theirs) / median(ours) if unit == "µs" else median(ours) / median(theirs)
    low, high = round(min(ratios), 2), round(max(ratios), 2)
    return Result(case, peer, round(median(ours)), round(median(theirs)), unit, round(middle, 2), low, high)


def _limit(case: str, ours: float, limit: float, unit: str) -> Result:
    return Result(case, "limit", ours, limit, unit, round(limit / ours, 2))
