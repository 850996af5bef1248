"""One client floods the service with pictures that are costly to decode, while another sends small ones.

The costly picture is a PNG of one color, 27 megapixels in 91 kB, which takes a third of a second to decode; the other
client sends one picture of 60 × 60 pixels after the other. Both send a token, so that the service can tell them apart
although they come from one machine. A client that is refused waits for as long as the refusal says.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from time import monotonic

import grpc
import numpy as np
from PIL import Image, ImageDraw

from benchmarks import sides
from benchmarks.result import Result
from benchmarks.runner import people
from core.artifact.repository import Repository
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest, RecognizeResponse
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub

__all__ = ["measure"]

CONNECTIONS = 2
"""The connections of the client that floods: the service accepts 256 calls at once on each."""

PATIENCE = 25.0
"""The deadline of each call, in seconds."""

TOKENS = {"flood": "the-token-of-the-one-that-floods", "small": "the-token-of-the-other"}

_Call = Callable[[RecognizeRequest], Awaitable[RecognizeResponse]]


@dataclass
class _Tally:
    """What became of the calls of one client.

    Attributes:
        codes: How many ended with each status.
        seconds: How long each answered call took.
    """

    codes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def milliseconds(self, percentile: float) -> float:
        """A percentile of the time of the calls that were answered; the deadline, if none was."""
        return round(1000 * float(np.percentile(self.seconds or [PATIENCE], percentile)), 1)

    def __str__(self) -> str:
        return ", ".join(f"{count:,} × {code}" for code, count in self.codes.most_common()) or "no call"


def measure(seconds: float, callers: int, repository: str, against: Path | None) -> list[Result]:
    """Measure this checkout, and another one if it is named.

    Args:
        seconds: How long the flood lasts, after which the calls in flight are still waited for.
        callers: The costly calls that are in flight at once.
        repository: The repository whose champion answers.
        against: A checkout of another commit.
    """
    ours = _side(sides.ROOT, seconds, callers, repository)
    theirs = _side(against, seconds, callers, repository) if against else None
    peer = str(against or "no limit")
    rows = []
    for name, percentile in (("median", 50), ("99th percentile", 99), ("slowest", 100)):
        case = f"a small picture beside {callers} costly ones, {name}"
        we, they = (side["small"].milliseconds(percentile) if side else None for side in (ours, theirs))
        assert we is not None  # noqa: S101 — our side was measured
        rows.append(Result(case, peer, we, they, "ms", None if they is None else round(they / we, 2)))
    return rows


def _side(root: Path, seconds: float, callers: int, repository: str) -> dict[str, _Tally]:
    with tempfile.TemporaryDirectory(prefix="numeral-fairness-") as temporary:
        tokens = Path(temporary, "tokens")
        tokens.touch(mode=0o600)
        tokens.write_text("\n".join(f"predict:{token}" for token in TOKENS.values()))
        options = ("--workers", "1", "--tokens-file", str(tokens))
        with sides.numeral(Repository(repository), *options, root=root) as side:
            tallies = asyncio.run(_scene(side.port, seconds, callers))
    for name, tally in tallies.items():
        slowest = f"answered within {tally.milliseconds(100):,.0f} ms"
        people.print(f"{root.name}: client “{name}”: {tally}; {slowest}", markup=False)
    return tallies


async def _scene(port: int, seconds: float, callers: int) -> dict[str, _Tally]:
    tallies = {name: _Tally() for name in TOKENS}
    end = monotonic() + seconds
    costly, small = RecognizeRequest(encoded=_png(5200)), RecognizeRequest(encoded=_png(60))
    async with asyncio.TaskGroup() as group:
        for number in range(callers + 1):
            name, picture = ("flood", costly) if number < callers else ("small", small)
            group.create_task(_keep_asking(port, number % CONNECTIONS, name, picture, end, tallies[name]))
    return tallies


async def _keep_asking(port: int, number: int, name: str, picture: RecognizeRequest, end: float, tally: _Tally) -> None:
    options = [("grpc.enable_http_proxy", 0), ("numeral.connection", f"{name} {number}")]
    metadata = (("authorization", f"Bearer {TOKENS[name]}"),)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        stub = RecognizerStub(channel)  # type: ignore[no-untyped-call]
        while (start := monotonic()) < end:
            try:
                await stub.Recognize(picture, metadata=metadata, timeout=PATIENCE)
            except grpc.aio.AioRpcError as error:
                tally.codes[error.code().name] += 1
                hints = dict(error.trailing_metadata() or ())
                await asyncio.sleep(int(hints.get("retry-after-ms", 0)) / 1000)
            else:
                tally.codes["OK"] += 1
                tally.seconds.append(monotonic() - start)


def _png(side: int) -> bytes:
    """A PNG of side × side pixels: one thick stroke, dark on light."""
    image = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(image).line([(side // 2, side // 5), (side // 2, side * 4 // 5)], fill=0, width=side // 10)
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
