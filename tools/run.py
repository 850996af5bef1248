"""The main job, as `make run` shows it: retrain, serve, and one prediction by a gRPC client.

The pipeline and the service run as separate processes, as in production: only the repository of versions connects them.
The service is stopped at the end.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PICTURE = Path("examples/seven.png")
REJECTED = 3
"""The exit status of a retraining whose version was published and not promoted; the champion is served."""


def main() -> int:
    """Run the job; returns 0, or exits with a message about the part that failed."""
    os.chdir(ROOT)
    started = time.perf_counter()
    print("1. Retrain: download, verify, normalize, train, evaluate, publish, promote", flush=True)
    retrained = _json("pipelines", "retrain", "--recipe", "mlp")
    print("\n2. Serve the champion over gRPC", flush=True)
    with _service(retrained["repository"]) as (address, startup):
        print(f"\n3. Ask the service which digit {PICTURE} shows", flush=True)
        asked = time.perf_counter()
        [reading] = _json("service", "predict", str(PICTURE), "--address", address)
        seconds = retrained["seconds"] | {"serve": startup, "predict": time.perf_counter() - asked}
        _show(retrained, reading, seconds)
    print(f"\n   All of it took {time.perf_counter() - started:.0f} s. The service has been stopped.")
    return 0


def _show(retrained: dict[str, Any], reading: dict[str, Any], seconds: dict[str, float]) -> None:
    """Print the answer and the retraining: apart, unless the version that was trained has given the answer."""
    report, answering, version = retrained["report"], reading["model_version"], retrained["version"]
    versions = f"model version  {answering} ({retrained['outcome']})"
    if answering != str(version):
        versions = (
            f"model version  {answering} (the champion)\n\n   retraining     version {version} ({retrained['outcome']})"
        )
    stages = "  ".join(f"{stage} {spent:.1f} s" for stage, spent in seconds.items())
    print(
        f"""
   {_picture()}

   digit          {reading["digit"]}
   confidence     {_confidence(reading["confidence"])}
   {versions}
   test accuracy  {retrained["metrics"]["test_accuracy"]:.2%} on the 10,000 test images
   artifact       {report.rpartition("/")[0]}
   report         {report}  (open it in a browser)
   time           {stages}

   What to type next:
     make serve                                                        serve it on port 8500
     .venv/bin/python -m service predict YOUR.png                      read a picture of your own; no server needed
     .venv/bin/python -m pipelines retrain --recipe cnn                train a more accurate version, in half an hour
     .venv/bin/python -m pipelines models list                         list all versions
     make web                                                          draw a digit in your browser"""
    )


def _confidence(probability: float) -> str:
    return "over 99.99%" if probability > 0.9999 else f"{probability:.2%}"


def _picture() -> str:
    """The picture, drawn with characters, so that it need not be opened."""
    from PIL import Image

    with Image.open(PICTURE) as image:
        pixels = image.convert("L").resize((40, 20)).tobytes()  # characters are twice as high as wide
    shades = "@#*:. "  # dark to light, as the picture is: ink on paper
    rows = ["".join(shades[p * len(shades) // 256] for p in pixels[start : start + 40]) for start in range(0, 800, 40)]
    return "\n   ".join(row for row in rows if row.strip())


def _json(package: str, *arguments: str) -> Any:
    command = [sys.executable, "-m", package, *arguments, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, REJECTED):
        sys.exit(f"make run: {package} {arguments[0]} failed with exit status {done.returncode}; see its message above")
    return json.loads(done.stdout)


@contextmanager
def _service(repository: str) -> Iterator[tuple[str, float]]:
    """A service on a free port; yields its address and the seconds that it took to be ready."""
    started = time.perf_counter()
    # One process is enough for one picture, and its log then has each line once.
    options = ["--port", "0", "--workers", "1", "--repository", repository]
    command = [sys.executable, "-m", "service", "serve", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # noqa: S101 — a pipe, see above
        words = process.stdout.readline().split()  # "listening on HOST:PORT"
        if not words:
            sys.exit("make run: the service did not start; see its message above")
        address = words[-1]
        _wait_until_serving(address)
        yield address, time.perf_counter() - started
    finally:
        process.send_signal(signal.SIGTERM)
        if status := process.wait(timeout=30):
            sys.exit(f"make run: the service ended with exit status {status}")


def _wait_until_serving(address: str) -> None:
    deadline = time.monotonic() + 30
    health = [sys.executable, "-m", "service", "health", "--address", address]
    while subprocess.run(health, capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:
            sys.exit(f"make run: the service at {address} loaded no version within 30 s; see its messages above")
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
