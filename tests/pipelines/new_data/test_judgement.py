"""What the judge has said is remembered: only new pictures are asked about, and damage costs time alone."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.inference.answers import Answers
from pipelines.new_data.judge import Judge
from pipelines.new_data.judgement import judged
from tests.pipelines.new_data.new_items import plain

SHA256 = "c" * 64


class Counting:
    """Reads a 3 in every picture, and counts them."""

    def __init__(self) -> None:
        self.asked = 0

    def answers(self, images: NDArray[np.uint8]) -> Answers:
        self.asked += len(images)
        row = np.full(10, 0.01, np.float32)
        row[3] = 0.91
        ones = np.ones(len(images), np.float32)
        return Answers(np.tile(row, (len(images), 1)), ones, np.zeros(len(images), np.bool_))


def test_a_judge_is_asked_about_a_picture_once(tmp_path: Path) -> None:
    network = Counting()
    judge = Judge(network, "a judge", SHA256)  # type: ignore[arg-type]
    items = [plain(n, n) for n in range(5)]
    first = judged(items[:3], judge, tmp_path)
    assert (first[items[1].name].read, network.asked) == (3, 3)
    found = judged(items, judge, tmp_path)
    assert (len(found), network.asked) == (5, 5)
    assert found[items[1].name] == first[items[1].name]


def test_a_damaged_memory_is_made_anew(tmp_path: Path) -> None:
    network = Counting()
    judge = Judge(network, "a judge", SHA256)  # type: ignore[arg-type]
    judged([plain(1, 1)], judge, tmp_path)
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    judged([plain(1, 1)], judge, tmp_path)
    judged([plain(1, 1)], judge, tmp_path)
    assert network.asked == 2


def test_another_judge_has_a_memory_of_its_own(tmp_path: Path) -> None:
    network = Counting()
    for digest in (SHA256, "d" * 64):
        judged([plain(1, 1)], Judge(network, "a judge", digest), tmp_path)  # type: ignore[arg-type]
    assert network.asked == 2
