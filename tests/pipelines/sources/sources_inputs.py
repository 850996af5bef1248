"""Small files to download, and a cache folder to download them into."""

import gzip
import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.data import idx
from core.data.mnist import MnistFile
from pipelines.sources import FetchedFile, FetchPolicy, fetch_all

ROOT = Path(__file__).parents[3]

# Noise, so that gzip cannot make the file small: there is something to interrupt.
PLAIN = idx.encode(np.random.default_rng(0).integers(0, 256, (40, 28, 28), np.uint8))
PACKED = gzip.compress(PLAIN, mtime=0)
IMAGES = MnistFile("images", "train_images", len(PLAIN), hashlib.sha256(PLAIN).hexdigest(), 2051)
LABELS_PLAIN = idx.encode(np.arange(40, dtype=np.uint8) % 10)
LABELS = MnistFile("labels", "train_labels", len(LABELS_PLAIN), hashlib.sha256(LABELS_PLAIN).hexdigest(), 2049)
HALF = len(PACKED) // 2

# Short waits between attempts; the time limits are those of a busy machine, and tests of a limit set their own.
QUICK = FetchPolicy(
    connect_seconds=10.0,
    stall_seconds=10.0,
    minimum_speed=1000.0,
    attempt_seconds=20.0,
    attempts=3,
    backoff_seconds=0.01,
    backoff_limit_seconds=0.05,
    retry_after_seconds=2.0,
    redirects=3,
)


def spoken(value: object) -> str | None:
    """Name a test case after its text."""
    return value if isinstance(value, str) else None


@dataclass
class Cache:
    """A cache folder, and the messages given while it was filled."""

    folder: Path
    words: list[str] = field(default_factory=list)

    def fetch(self, *mirrors: str, files: tuple[MnistFile, ...] = (IMAGES,), **changes: Any) -> FetchedFile:
        """Download from `mirrors` alone; returns the first file."""
        policy = replace(QUICK, **changes)
        return fetch_all(self.folder, mirrors=mirrors, fallbacks=(), files=files, policy=policy, say=self.words.append)[
            0
        ]

    @property
    def said(self) -> str:
        return "\n".join(self.words)

    @property
    def names(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()} - {".lock"}


def content(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


CHILD = """
import json, sys
from pathlib import Path
from core.data.mnist import MnistFile
from pipelines.sources import FetchPolicy, fetch_all
folder, mirror, file, policy = sys.argv[1:]
[fetched] = fetch_all(Path(folder), mirrors=[mirror], fallbacks=[], files=[MnistFile(**json.loads(file))],
                      policy=FetchPolicy(**json.loads(policy)))
print(json.dumps([fetched.cached, str(fetched.path)]))
"""


def start(folder: Path, mirror: str, **changes: float) -> subprocess.Popen[str]:
    """Download in a separate process."""
    policy = replace(QUICK, **changes)
    arguments = [str(folder), mirror, json.dumps(vars(IMAGES)), json.dumps(vars(policy))]
    return subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT)
