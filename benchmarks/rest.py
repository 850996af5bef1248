"""REST under load, compared with MLServer's: the same requests in JSON, and ours with binary tensors."""

import json
from collections.abc import Collection
from pathlib import Path
from statistics import median
from threading import Event
from urllib.error import URLError
from urllib.request import Request, urlopen

import numpy as np

from benchmarks import sides
from benchmarks.h2load import load_http
from benchmarks.result import Result
from benchmarks.runner import people
from core.errors import ConfigError

__all__ = ["CASES", "measure"]

CASES = ("rest", "rest-binary")
"""One image in JSON on both sides; and one image in binary form on ours, as MLServer takes JSON alone."""

CONNECTIONS, SHARE = 64, 0.25
"""Requests in flight, one on each connection; and the share of `--calls` that is made."""

PATH, PEER = "/v2/models/mnist/infer", "MLServer, REST"
UNIT = "requests/s"


def measure(
    wanted: Collection[str], service: sides.Side, images: np.ndarray, folder: Path, rounds: int, calls: int
) -> list[Result]:
    """Measure those of the cases that are wanted.

    Args:
        wanted: Names of cases; others are ignored.
        service: Our service, before which a web server is started.
        images: (N, 784) uint8; the first one is sent.
        folder: Has the weights that MLServer reads.
        rounds: How often each side is measured.
        calls: Of which a share is made by each side in each round.
    """
    cases = [case for case in CASES if case in wanted]
    if not cases:
        return []
    bodies = {"rest": _json(images[:1]), "rest-binary": _binary(images[:1])}
    count = max(100, round(calls * SHARE))
    with sides.web(service) as web:
        python = sides.interpreter("mlserver")
        if python is None:
            people.print("rest: MLServer is not installed; NUMERAL_BENCH_MLSERVER may name its Python", style="red")
            return [Result(case, PEER, round(_rate(web, *bodies[case], count)), None, UNIT, None) for case in cases]
        results = []
        with sides.mlserver(python, folder, http=True) as theirs:
            for case in cases:
                pairs = []
                for number in range(rounds):
                    people.print(f"{case}: {PEER}, round {number + 1} of {rounds}", style="dim")
                    with sides.asleep(theirs):
                        ours = _rate(web, *bodies[case], count)
                    with sides.asleep(service), sides.asleep(web):
                        pairs.append((ours, _rate(theirs, *bodies["rest"], count)))
                results.append(_result(case, pairs))
        return results


def _rate(side: sides.Side, body: bytes, headers: tuple[str, ...], count: int) -> float:
    """Requests per second, after one whose answer is looked at."""
    _until_it_answers(side.port, body, headers)
    return load_http(side.port, PATH, body, requests=count, connections=CONNECTIONS, headers=headers).rate


def _until_it_answers(port: int, body: bytes, headers: tuple[str, ...]) -> None:
    """Wait until a request succeeds: MLServer listens long before its model is loaded."""
    pairs = dict(header.split(": ", 1) for header in headers)
    last: Exception | None = None
    for _ in range(60):
        try:
            with urlopen(Request(f"http://127.0.0.1:{port}{PATH}", body, pairs), timeout=30) as response:
                if b'"probabilities"' in response.read():
                    return
                raise ConfigError(f"{PATH} at port {port} answers without probabilities")
        except (URLError, OSError) as error:
            last = error
            Event().wait(0.5)
    raise ConfigError(f"{PATH} at port {port} gets no answer: {last}")


def _json(images: np.ndarray) -> tuple[bytes, tuple[str, ...]]:
    tensor = {"name": "image", "datatype": "UINT8", "shape": list(images.shape), "data": images.ravel().tolist()}
    return json.dumps({"inputs": [tensor]}).encode(), ("content-type: application/json",)


def _binary(images: np.ndarray) -> tuple[bytes, tuple[str, ...]]:
    parameters = {"binary_data_size": images.nbytes}
    tensor = {"name": "image", "datatype": "UINT8", "shape": list(images.shape), "parameters": parameters}
    document = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return document + images.tobytes(), (f"inference-header-content-length: {len(document)}",)


def _result(case: str, pairs: list[tuple[float, float]]) -> Result:
    ours, theirs = (median(side) for side in zip(*pairs, strict=True))
    ratios = [a / b for a, b in pairs]
    low, high = round(min(ratios), 2), round(max(ratios), 2)
    return Result(case, PEER, round(ours), round(theirs), UNIT, round(ours / theirs, 2), low, high)
