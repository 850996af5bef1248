"""People who draw digits on the page, as their browsers behave: what each sends, and when.

A person draws a digit in about a second, looks at the answer for a while, and draws the next one. Meanwhile the
browser does what `service/web/static/draw/reader.js` says: while the pen moves, it sends the picture so far, never more
than one at a time, and the less often the slower the answers are; when the pen is lifted, it sends the whole picture at
once; and when the pen has rested, it asks for the explanation.
"""

import asyncio
import io
import json
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from PIL import Image, ImageDraw

from core.drawing.digits import STYLES
from core.drawing.hand import Hand

__all__ = ["Answers", "Drawing", "drawings", "session"]

SIDE, PEN = 160, 11
"""Pixels of the picture that the page sends, and of the pen's width in it."""

PIXELS = "application/x-numeral-pixels"
"""The media type of 784 pixels."""

FRAMES = 10
"""Stages of a drawing that are prepared: what the pen has drawn so far, from its first tenth to the whole."""

STROKE_SECONDS, LOOK_SECONDS = (0.7, 1.5), (0.8, 2.0)
"""How long a person draws, and looks at the answer, at least and at most."""

PAUSE, PATIENCE, REST = 0.08, 1.5, 0.25
"""Of the page: seconds between an answer and the next picture until the server says how long; or this many times the
last latency, if that is longer; and seconds of rest before the explanation is asked for."""


@dataclass(frozen=True)
class Drawing:
    """A digit that is being drawn.

    Attributes:
        digit: What it will be.
        frames: PNG files: the picture after each tenth of the pen's way.
    """

    digit: int
    frames: tuple[bytes, ...]


@dataclass
class Answers:
    """What all people got together.

    Attributes:
        since: Drawings that were begun before this time, of `perf_counter`, are left out: until then, the server
            learns how often it may be asked.
        while_drawing: Seconds from sending each unfinished picture to its answer.
        finished: Seconds from lifting the pen to the answer to the whole picture.
        explained: Seconds for each explanation.
        right: How many whole pictures were read as what they show.
        failed: Statuses other than 200, and how often.
    """

    since: float = 0.0
    while_drawing: list[float] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)
    explained: list[float] = field(default_factory=list)
    right: int = 0
    failed: dict[int, int] = field(default_factory=dict)

    @property
    def all(self) -> list[float]:
        """Seconds of every answer to a picture."""
        return self.while_drawing + self.finished


def drawings(count: int, seed: int = 0) -> list[Drawing]:
    """Digits in the styles of `core.drawing`, on white paper."""
    rng = np.random.default_rng(seed)
    styles = list(STYLES.values())
    found = []
    for _ in range(count):
        style = styles[rng.integers(len(styles))]
        strokes = [np.asarray(stroke) for stroke in style.draw(Hand(rng))]
        found.append(Drawing(style.digit, _frames(strokes)))
    return found


def _frames(strokes: Sequence[np.ndarray]) -> tuple[bytes, ...]:
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = 0.65 * SIDE / max(high - low)
    margin = (SIDE - scale * (high - low)) / 2
    placed = [(stroke - low) * scale + margin for stroke in strokes]
    total = sum(map(len, placed))
    return tuple(_picture(placed, round(total * frame / FRAMES)) for frame in range(1, FRAMES + 1))


def _picture(strokes: Sequence[np.ndarray], points: int) -> bytes:
    """What is drawn after so many points of the strokes, which lie closely together."""
    image = Image.new("L", (2 * SIDE, 2 * SIDE), 255)  # twice as large, so that edges are smooth when it is reduced
    pen = ImageDraw.Draw(image)
    for stroke in strokes:
        for x, y in 2 * stroke[:points]:
            pen.ellipse((x - PEN, y - PEN, x + PEN, y + PEN), fill=0)
        points = max(0, points - len(stroke))
    file = io.BytesIO()
    image.reduce(2).save(file, "PNG", compress_level=1)
    return file.getvalue()


async def session(port: int, drawn: Sequence[Drawing], seconds: float, seed: int, answers: Answers) -> None:
    """One person, for some seconds.

    Args:
        port: That of the web server, on this machine.
        drawn: What the person draws, one after the other, and then from the beginning.
        seconds: How long.
        seed: Of the person's pace.
        answers: Added to.
    """
    rng = np.random.default_rng(seed)
    browser = await _Browser.connected(port)
    end = perf_counter() + seconds
    try:
        await asyncio.sleep(rng.uniform(0, LOOK_SECONDS[1]))  # people do not begin all at once
        turn = seed
        while perf_counter() < end:
            await _draw(browser, drawn[turn % len(drawn)], rng.uniform(*STROKE_SECONDS), answers)
            turn += 1
            await asyncio.sleep(rng.uniform(*LOOK_SECONDS))
    finally:
        browser.close()


async def _draw(browser: "_Browser", drawing: Drawing, seconds: float, answers: Answers) -> None:
    began, pause = perf_counter(), browser.pause
    if began < answers.since:
        answers = Answers()
    while (passed := perf_counter() - began) < seconds:
        await asyncio.sleep(min(pause, seconds - passed))
        share = min((perf_counter() - began) / seconds, 1.0)
        if share < 1:
            taken, found = await browser.ask("/page/read", drawing.frames[int(share * FRAMES)], answers)
            answers.while_drawing.append(taken)
            browser.pause = float(str(found.get("pause", 1000 * browser.pause))) / 1000
            pause = max(browser.pause, PATIENCE * taken)
    taken, found = await browser.ask("/page/read", drawing.frames[-1], answers)
    lifted = began + seconds
    answers.finished.append(max(taken, perf_counter() - lifted))
    answers.right += found.get("digit") == drawing.digit and not found.get("rejected")
    await asyncio.sleep(REST)
    if "pixels" in found:
        taken, _ = await browser.ask("/page/explain", b64decode(str(found["pixels"])), answers, PIXELS)
        answers.explained.append(taken)


class _Browser:
    """One connection that is kept; it does as little as possible, as the machine that it runs on also serves."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._port, self._reader, self._writer = port, reader, writer
        self.pause = PAUSE

    @classmethod
    async def connected(cls, port: int) -> "_Browser":
        return cls(port, *await asyncio.open_connection("127.0.0.1", port))

    async def ask(
        self, path: str, picture: bytes, answers: Answers, kind: str = "image/png"
    ) -> tuple[float, dict[str, object]]:
        """Send a picture; gives the seconds until the answer was there, and the answer."""
        began = perf_counter()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nOrigin: http://127.0.0.1:{self._port}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(picture)}\r\n\r\n"
        )
        self._writer.write(head.encode() + picture)
        status, *headers = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        lengths = [line.split(":")[1] for line in headers if line.lower().startswith("content-length:")]
        body = await self._reader.readexactly(int(lengths[0]))
        taken, code = perf_counter() - began, int(status.split()[1])
        if code != 200:
            answers.failed[code] = answers.failed.get(code, 0) + 1
            return taken, {}
        return taken, json.loads(body)

    def close(self) -> None:
        self._writer.close()
