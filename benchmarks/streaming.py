"""Train on a file that is larger than the memory that training may use.

`python -m benchmarks streaming --images 8000000 --json` writes 6.3 GB of digits to a temporary folder, maps them
into memory, trains the 784-128-10 network for one epoch, and reports images per second and the peak memory of this
process. The peer is the same network trained on MNIST's own images, normalized and held in memory.
"""

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.digits import DIGITS
from benchmarks.result import Result
from core.data import mnist
from core.data.batches import Batches
from core.data.large import memory_map, writer
from core.data.normalize import Normalizer
from core.data.shuffle import Blocks
from core.digit import SIDE
from core.nn.architectures import build
from core.optim.optimizers import SGD
from core.train.loop import fit
from core.train.report import EpochReport
from core.train.training import Training
from core.train.training_plan import TrainingPlan

LAYERS = ({"kind": "dense", "units": 128}, {"kind": "relu"}, {"kind": "dense", "units": 10})
BATCH = 128
PIECE = 20_000
LIMIT = 1024  # MiB of resident memory that one epoch may use
FULL = 8_000_000


def generate(folder: Path, digits: mnist.Mnist, count: int, seed: int = 0) -> tuple[Path, Path]:
    """Write `count` images of MNIST, shifted by up to 2 pixels, and their labels, piece by piece."""
    images, labels = folder / "images-idx3-ubyte", folder / "labels-idx1-ubyte"
    rng = np.random.default_rng(seed)
    with writer(images, (SIDE, SIDE)) as append_images, writer(labels) as append_labels:
        for start in range(0, count, PIECE):
            rows = rng.integers(len(digits.train_labels), size=min(PIECE, count - start))
            append_images(np.roll(digits.train_images[rows], rng.integers(-2, 3, size=2), axis=(1, 2)))
            append_labels(digits.train_labels[rows])
    return images, labels


def epoch(train: Batches, validation: Batches, threads: int) -> EpochReport:
    """One epoch of the 784-128-10 network."""
    network = build((784,), LAYERS, rng=np.random.default_rng(0))
    plan = TrainingPlan(epochs=1, learning_rate=0.1, threads=threads)
    return next(fit(Training(network, SGD()), train, validation, plan))


def peak_resident() -> float:
    """Peak resident memory of this process, including mapped files, in MiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(count: int, workers: int, threads: int, folder: Path | None = None) -> list[Result]:
    """Generate the file, train from its memory map, then from memory.

    Args:
        count: Images to train on.
        workers: Threads that prepare batches ahead.
        threads: BLAS threads.
        folder: Where the temporary file is written; None uses the system's temporary folder.
    """
    with tempfile.TemporaryDirectory(prefix="numeral-streaming-", dir=folder) as temporary:
        return _measure(count, workers, threads, Path(temporary))


def _measure(count: int, workers: int, threads: int, folder: Path) -> list[Result]:
    digits = mnist.load(DIGITS)
    normalizer = Normalizer.fit(digits.train_images)
    validation = Batches(normalizer.apply(digits.test_images).reshape(-1, 784), digits.test_labels, batch_size=1000)
    images, labels = generate(folder, digits, count)
    streamed = Batches(
        memory_map(images, magic=mnist.IMAGES_MAGIC),
        memory_map(labels, magic=mnist.LABELS_MAGIC),
        batch_size=BATCH,
        rng=np.random.default_rng(0),
        prepare=lambda batch, _: normalizer.apply(batch).reshape(-1, 784),
        workers=workers,
        blocks=Blocks(),
    )
    report = epoch(streamed, validation, threads)
    peak = peak_resident()  # measured before the peer's array is allocated
    inputs = normalizer.apply(digits.train_images).reshape(-1, 784)
    held = Batches(inputs, digits.train_labels, batch_size=BATCH, rng=np.random.default_rng(0))
    peer = epoch(held, validation, threads)
    case = f"one epoch of 784-128-10 on {count:,} images ({images.stat().st_size / 1e9:.1f} GB) from a memory map"
    return [
        Result(
            f"{case}, validation accuracy {report.validation_accuracy:.4f}",
            f"{held.images:,} images in memory",
            ours=round(report.images_per_second),
            theirs=round(peer.images_per_second),
            unit="images/s",
            ratio=round(report.images_per_second / peer.images_per_second, 2),
        ),
        Result(
            f"{case}, peak resident memory",
            "limit",
            ours=round(peak),
            theirs=LIMIT,
            unit="MiB",
            ratio=round(LIMIT / peak, 2),
        ),
    ]
