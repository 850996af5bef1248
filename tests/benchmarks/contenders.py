"""Contenders that compute next to nothing, for the tests of the runner; each is made in a process of its own."""

import threading
import time
from pathlib import Path

import numpy as np

from benchmarks.contender import Contender


class Noting(Contender):
    """Notes in a file, which all share, that its turn has come."""

    def __init__(self, name: str, notes: Path, evidence: float = 1.0) -> None:
        self.name, self.notes, self.number = name, notes, evidence

    def begin(self) -> None:
        with self.notes.open("a") as notes:
            notes.write(self.name)

    def step(self) -> int:
        return 8

    def evidence(self) -> np.ndarray:
        return np.array([self.number, -2.0])

    def gemm_share(self, seconds: float) -> float:
        return 0.5


class Restless(Noting):
    """Computes for half a second of processor time after its first turn, and then says so with a file."""

    SECONDS = 0.5
    TOLD = "busy"

    def begin(self) -> None:
        super().begin()
        threading.Thread(target=self._spin, daemon=True).start()

    def _spin(self) -> None:
        while time.thread_time() < self.SECONDS:
            pass
        self.notes.with_name(self.TOLD).touch()


class Failing(Noting):
    def evidence(self) -> np.ndarray:
        raise ValueError("no such layer")
