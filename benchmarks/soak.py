"""Full load with swaps, damaged versions and killed workers; every answer is checked.

Each answer names the version that computed it. So it must equal what that version computes, up to rounding, and give
that version's digest. If a worker is killed, the calls on its connections fail, and further calls reconnect.
"""

import os
import random
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic

import grpc
import numpy as np
from numpy.typing import NDArray

from benchmarks import sides, versions
from benchmarks.attacks import all_attacks
from benchmarks.attacks.attack import Verdict
from benchmarks.attacks.everything import attacked
from benchmarks.digits import DIGITS
from benchmarks.memory import watched
from benchmarks.result import Result
from benchmarks.runner import people
from core.artifact.manifest import WEIGHTS
from core.artifact.repository import Repository
from core.data import mnist
from core.inference.predict import load
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest, RecognizeResponse

__all__ = ["attack", "measure"]

RECOGNIZE = "/numeral.v1.Recognizer/Recognize"
KNOWN, IMAGES = 8, 64
CALLERS, IN_FLIGHT = 4, 16
ROUNDING = 1e-5
CORRUPT_EVERY = 7
"""Every seventh promotion is of a version whose weights are damaged."""

MEMORY_LIMIT = 1.2
"""The factor by which the largest process, and all of them together, may have grown at the end."""

SLOPE_LIMIT = 20
"""MB by which all processes together may grow in an hour, once half of the time has passed."""


@dataclass
class _Tally:
    """Counts of what happened, updated by several threads."""

    right: int = 0
    failed: int = 0
    swaps: int = 0
    corrupt: int = 0
    kills: int = 0
    wrong: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)


@dataclass(frozen=True)
class _Truth:
    """What each version computes for each image, and its digest."""

    probabilities: dict[str, NDArray[np.float32]]  # version → (IMAGES, 10)
    digests: dict[str, str]

    def finding(self, row: int, reply: RecognizeResponse) -> str | None:
        """What is wrong with a reply; None if it is correct."""
        expected = self.probabilities.get(reply.model_version)
        if expected is None:
            return f"version {reply.model_version!r} was never sound"
        if reply.weights_sha256 != self.digests[reply.model_version]:
            return f"version {reply.model_version} with the digest of another"
        off = float(np.abs(np.asarray(reply.probabilities) - expected[row]).max())
        if off > ROUNDING or reply.digit != int(np.argmax(reply.probabilities)):
            return f"version {reply.model_version}: off by {off:.2g}"
        return None


def attack(seconds: float, pattern: str, repository: str | None, write: Callable[[Iterator[Verdict]], bool]) -> bool:
    """Attack the service, in one way after the other.

    Args:
        seconds: How long an attack goes on that could go on for ever.
        pattern: Only the attacks of matching names.
        repository: A repository whose champion is of the recipe mlp, which is copied; None trains one.
        write: Is given the verdicts, as they come; tells whether the service has held.
    """
    attacks = all_attacks.chosen(pattern)
    with _repository(repository) as models:
        folder = Path(models.url.removeprefix("file://"))
        return write(all_attacks.verdicts(attacks, folder, seconds))


def measure(
    seconds: float, swap_every: float, kill_every: float, repository: str | None, *, attacking: bool = False
) -> list[Result]:
    """Run the soak test.

    Args:
        seconds: How long to run.
        swap_every: Seconds between two swaps.
        kill_every: Seconds between two kills of a worker; 0 kills none.
        repository: A repository whose champion is of the recipe mlp; None trains one.
        attacking: Whether the service is attacked meanwhile; see `benchmarks.attacks.everything`.
    """
    with _repository(repository) as models:
        return _measure(seconds, swap_every, kill_every, models, attacking=attacking)


@contextmanager
def _repository(url: str | None) -> Iterator[Repository]:
    with tempfile.TemporaryDirectory(prefix="numeral-soak-") as temporary:
        yield Repository(url, writable=True) if url else versions.trained(Path(temporary, "models"))


def _measure(
    seconds: float, swap_every: float, kill_every: float, models: Repository, *, attacking: bool
) -> list[Result]:
    images = mnist.load(DIGITS).test_images[:IMAGES]
    like = models.manifest(models.champion())
    sound = [like.version, *(versions.another(models, like, seed) for seed in range(1, KNOWN))]
    corrupt = versions.another(models, like, KNOWN)
    _damage(models, corrupt)
    truth = _Truth(
        {str(v): load(models, v)[0].probabilities(images) for v in sound},
        {str(v): models.manifest(v).files[WEIGHTS].sha256 for v in sound},
    )
    tally, enough = _Tally(), Event()
    with sides.numeral(models, "--pretrained", "off") as we, watched(we.pid) as memory:
        first = max(map(sides.resident, sides.family(we.pid)))
        threads = [Thread(target=_ask, args=(we.port, images, truth, tally, enough)) for _ in range(CALLERS)]
        threads.append(Thread(target=_swap, args=(models, sound, corrupt, swap_every, tally, enough)))
        if kill_every:
            threads.append(Thread(target=_kill, args=(we.pid, kill_every, tally, enough)))
        for thread in threads:
            thread.start()
        began = monotonic()
        with attacked(we.port) if attacking else nullcontext():
            enough.wait(seconds)
        enough.set()
        elapsed = monotonic() - began
        for thread in threads:
            thread.join()
        last = max(map(sides.resident, sides.family(we.pid)))
    for finding in tally.wrong[:5]:
        people.print(f"wrong: {finding}", style="red")
    done = f"{tally.swaps} swaps, {tally.corrupt} corrupt versions, {tally.kills} kills, {elapsed:.0f} s"
    allowed_failures = None if kill_every or attacking else 0
    right = f"answers that were right; {done}; {len(tally.seen)} versions seen"
    return [
        Result(right, "no limit", tally.right, None, "calls", None),
        Result("answers that were wrong", "limit", len(tally.wrong), 0, "calls", None),
        Result("calls that failed", "limit", tally.failed, allowed_failures, "calls", None),
        Result(
            "memory of the largest process in the end, against the beginning", "limit",
            round(last), round(first * MEMORY_LIMIT), "MB", round(first * MEMORY_LIMIT / last, 2),
        ),
        Result(
            "memory of all processes in the last tenth of the time, against the first tenth", "limit",
            round(memory.last), round(memory.first * MEMORY_LIMIT), "MB",
            round(memory.first * MEMORY_LIMIT / memory.last, 2),
        ),
        Result(
            f"its growth over the second half; at its highest {max(memory.megabytes):,.0f} MB", "limit",
            round(memory.slope), SLOPE_LIMIT, "MB/hour", None,
        ),
    ]  # fmt: skip


def _ask(port: int, images: NDArray[np.uint8], truth: _Truth, tally: _Tally, enough: Event) -> None:
    """Keep calls in flight, and check each answer."""
    options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
    requests = [RecognizeRequest(pixels=image.tobytes()) for image in images]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        recognize = channel.unary_unary(
            RECOGNIZE,
            request_serializer=RecognizeRequest.SerializeToString,
            response_deserializer=RecognizeResponse.FromString,
        )
        while not enough.is_set():
            rows = random.sample(range(len(images)), IN_FLIGHT)
            calls = [(row, recognize.future(requests[row], timeout=30, wait_for_ready=True)) for row in rows]
            for row, call in calls:
                _check(row, call, truth, tally)


def _check(row: int, call: "grpc.Future[RecognizeResponse]", truth: _Truth, tally: _Tally) -> None:
    error = call.exception()
    finding = None if error else truth.finding(row, call.result())
    with tally.lock:
        if error:
            tally.failed += 1
        elif finding:
            tally.wrong.append(finding)
        else:
            tally.right += 1
            tally.seen.add(call.result().model_version)


def _swap(models: Repository, sound: list[int], corrupt: int, every: float, tally: _Tally, enough: Event) -> None:
    """Promote one version after the other, and regularly a damaged one."""
    number = 0
    while not enough.wait(every):
        number += 1
        if number % CORRUPT_EVERY == 0:
            models.alias().promote(corrupt, by="soak", why="which must not be served")
            tally.corrupt += 1
        else:
            models.promote(sound[number % len(sound)], by="soak", why="a swap")
            tally.swaps += 1


def _kill(supervisor: int, every: float, tally: _Tally, enough: Event) -> None:
    while not enough.wait(every):
        workers = sides.family(supervisor)[1:]
        if workers:
            os.kill(random.choice(workers), signal.SIGKILL)  # noqa: S311 — nothing secret
            tally.kills += 1


def _damage(models: Repository, version: int) -> None:
    """Flip a bit in the middle of a version's weights."""
    file = Path(str(models.location), models.model, str(version), WEIGHTS)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
