"""Whole scorings: the same table whoever does the parts, and however often the work is cut off."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.artifact.repository import Repository
from core.data import idx
from core.errors import ConfigError, StorageError, VersionNotFoundError
from core.inference.predict import load
from core.shipped import ROOT
from pipelines.leftovers import find, reclaim
from pipelines.lock import locked
from pipelines.retrain.work import lock_of
from pipelines.score import score_job
from pipelines.score.answering import Asked
from pipelines.score.part import InputChangedError
from pipelines.score.score_job import score
from pipelines.score.table import lock_beside
from tests.pipelines.score.units import Deadly

DRIVER = """
import json, os, signal, sys
from pathlib import Path
from pipelines.score import partition, score_job

if __name__ == "__main__":
    partition.IMAGES = 64
    real, kept, deaths = score_job.write_whole, [], int(sys.argv[1])

    def write_whole(path, data):
        real(path, data)
        kept.append(path)
        if len(kept) == deaths:
            os.kill(os.getpid(), signal.{signal})

    score_job.write_whole = write_whole
    from pipelines.engine.stopping import stopping
    with stopping():
        workers = int(sys.argv[3])
        order = score_job.ScoreOrder(("images",), Path("table.csv"), sys.argv[2], Path("data"), workers=workers)
        print(score_job.score(order).model_dump_json())
"""


def _driven(repository: str, deaths: int, signal: str, workers: int = 1) -> "subprocess.CompletedProcess[str]":
    Path("driver.py").write_text(DRIVER.replace("{signal}", signal))
    return subprocess.run(
        [sys.executable, "driver.py", str(deaths), repository, str(workers)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_rows_are_what_the_version_answers_in_the_order_of_the_images(order, digits, repository):
    scored = score(order)
    predictor, manifest = load(Repository(repository), 1)
    probabilities = predictor.probabilities(digits)
    rows = [line.split(",") for line in Path("table.csv").read_text().splitlines()[1:]]
    assert [int(row[1]) for row in rows] == list(range(300))
    assert [int(row[2]) for row in rows] == probabilities.argmax(axis=1).tolist()
    found = np.array([float(row[3]) for row in rows])
    assert np.abs(found - probabilities.max(axis=1)).max() < 1e-5  # six places, other batches
    assert {(row[0], row[4], row[6]) for row in rows} == {("images", "", "1")}
    assert (scored.items, scored.read, scored.rejected, scored.unreadable) == (300, 300, 0, 0)
    counts = np.bincount(probabilities.argmax(axis=1), minlength=10).tolist()
    assert scored.by_digit == {str(digit): count for digit, count in enumerate(counts)}
    assert scored.weights_sha256 == manifest.files["weights.safetensors"].sha256
    assert not Path("data/score").exists() or not list(Path("data/score").iterdir())


def test_processes_and_this_one_alone_write_the_same_bytes(order, expected):
    scored = score(replace(order, workers=2))
    assert (scored.runner, scored.workers) == ("local", 2)
    assert Path("table.csv").read_bytes() == expected


def test_few_parts_start_no_process_however_many_workers_are_allowed(order):
    idx.write("few", np.zeros((3, 28, 28), np.uint8))
    scored = score(replace(order, inputs=("few",), workers=2))
    assert (scored.runner, scored.workers, scored.rejected) == ("here", 1, 3)


@pytest.mark.parametrize(("worth", "runner"), [(0.0, "local"), (float("inf"), "here")])
def test_processes_are_started_once_they_pay_and_change_no_byte(order, expected, monkeypatch, worth, runner):
    monkeypatch.setattr("pipelines.score.here._WORTH", worth)
    monkeypatch.setattr(score_job, "usable_processors", lambda: 2)
    scored = score(replace(order, workers=None))
    assert (scored.runner, scored.workers) == (runner, 2 if runner == "local" else 1)
    assert Path("table.csv").read_bytes() == expected


def test_the_death_of_a_dask_worker_changes_no_byte(order, expected, monkeypatch, tmp_path):
    pytest.importorskip("distributed")
    asked, mark = score_job._asked(order), tmp_path / "died"
    monkeypatch.setattr(score_job, "_asked", lambda order: Deadly(**vars(asked), mark=mark))
    scored = score(replace(order, runner="dask", workers=2))
    assert mark.exists()
    assert (scored.runner, scored.kept_parts) == ("dask", 0)
    assert Path("table.csv").read_bytes() == expected


def test_after_a_kill_only_missing_parts_are_done_and_the_bytes_are_the_same(order, expected, repository):
    killed = _driven(repository, 3, "SIGKILL")
    assert killed.returncode == -9, killed.stderr
    assert not Path("table.csv").exists()
    kept = {path: path.stat().st_mtime_ns for path in order.folder.glob("*.part")}
    assert len(kept) == 3
    again = _driven(repository, 0, "SIGKILL", workers=2)
    assert json.loads(again.stdout)["kept_parts"] == 3, again.stderr
    assert Path("table.csv").read_bytes() == expected
    assert not order.folder.exists()


def test_an_interrupt_ends_in_one_sentence_and_keeps_what_is_done(order, expected, repository):
    stopped = _driven(repository, 2, "SIGINT", workers=2)
    assert stopped.returncode == 130
    assert stopped.stderr.count("\n") == 1
    assert "images; the same command goes on" in stopped.stderr
    assert json.loads(_driven(repository, 0, "SIGINT").stdout)["kept_parts"] == 2
    assert Path("table.csv").read_bytes() == expected


def test_one_more_picture_does_only_the_parts_that_it_changes(order, monkeypatch):
    Path("in").mkdir()
    for number in range(8):
        Image.fromarray(np.full((40, 40), 255, np.uint8)).save(f"in/{number}.png")
    monkeypatch.setattr(score_job.shutil, "rmtree", lambda folder: None)  # as if killed before the end
    score(replace(order, inputs=("in",)))
    Image.fromarray(np.full((40, 40), 255, np.uint8)).save("in/8.png")
    scored = score(replace(order, inputs=("in",)))
    assert (scored.items, scored.parts, scored.kept_parts) == (9, 3, 2)


def test_an_input_that_changes_meanwhile_is_an_error_and_leaves_no_table(order, digits, monkeypatch):
    real = Asked.answer

    def answer(self, part):
        if part.first == 64:
            idx.write("images", digits[::-1])
        return real(self, part)

    monkeypatch.setattr(Asked, "answer", answer)
    with pytest.raises(InputChangedError, match="images: changed while it was being read"):
        score(order)
    assert not Path("table.csv").exists()
    monkeypatch.undo()


def test_rows_of_the_old_content_are_never_taken_for_those_of_the_new(order, digits, monkeypatch):
    monkeypatch.setattr(score_job.shutil, "rmtree", lambda folder: None)
    score(order)
    first = Path("table.csv").read_bytes()
    idx.write("images", digits[::-1])
    scored = score(order)
    assert scored.kept_parts == 0
    assert Path("table.csv").read_bytes() != first


def test_a_second_run_of_the_same_table_is_told_who_writes_it(order):
    with locked(lock_of(order.folder), print, print), pytest.raises(StorageError, match=f"process {os.getpid()} on"):
        score(order)


def test_two_runs_with_other_data_folders_do_not_write_one_table(order, expected):
    other = replace(order, data_dir=Path("other-data"))
    with locked(lock_beside(order.output), print, print), pytest.raises(StorageError, match="writes this table"):
        score(other)
    assert not Path("table.csv").exists()
    scored = score(other)
    assert scored.kept_parts == scored.parts
    assert Path("table.csv").read_bytes() == expected


def test_what_a_killed_run_was_still_writing_is_removed(order):
    order.folder.mkdir(parents=True)
    unfinished = order.folder / ".x.idx.0123.tmp"
    unfinished.touch()
    Path("images").unlink()
    with pytest.raises(ConfigError, match="INPUT images"):
        score(order)
    assert not unfinished.exists()


def test_the_table_of_an_earlier_run_stays_until_the_new_one_is_complete(order, digits):
    Path("table.csv").write_text("old")
    images = Path("images").read_bytes()
    Path("images").write_bytes(images[:-1])
    with pytest.raises(Exception, match="images"):
        score(order)
    assert Path("table.csv").read_text() == "old"


def test_an_alias_that_points_nowhere_is_named(order):
    with pytest.raises(VersionNotFoundError, match="no alias challenger"):
        score(replace(order, alias="challenger"))


def test_an_unfinished_scoring_is_reclaimed_once_it_is_old(order):
    order.folder.mkdir(parents=True)
    (order.folder / "x.part").write_bytes(b"123")
    then = order.folder.stat().st_mtime - 30 * 86_400
    for path in (order.folder / "x.part", order.folder):
        os.utime(path, (then, then))
    [leftover] = find(Path("data"))
    assert (leftover.kind, leftover.path.name) == ("unfinished scoring", order.folder.name)
    from datetime import timedelta

    assert reclaim(Path("data"), timedelta(days=14), lambda sentence: None) == [leftover]
    assert not order.folder.exists()


def test_a_version_with_rejection_says_how_sure_it_is_and_refuses_scribbles(order, digits):
    images = np.concatenate([digits[:2], np.random.default_rng(0).integers(0, 256, (1, 28, 28), np.uint8)])
    images[2, [0, -1]] = images[2, :, [0, -1]] = 0
    idx.write("three", images)
    scored = score(replace(order, inputs=("three",), output=Path("t.jsonl"), repository=str(ROOT / "pretrained")))
    rows = [json.loads(line) for line in Path("t.jsonl").read_text().splitlines()]
    assert [row["digit"] for row in rows] == [7, 2, None]
    assert (scored.read, scored.rejected) == (2, 1)
    assert rows[0]["digitness"] > 0.5 > rows[2]["digitness"]
    assert rows[2]["reason"].startswith("shows no digit: it is ")
    assert rows[2]["probability"] is None


def test_a_parquet_table_says_who_read(order):
    parquet = pytest.importorskip("pyarrow.parquet")
    scored = score(replace(order, output=Path("table.parquet")))
    found = parquet.read_schema("table.parquet").metadata
    assert found[b"numeral.weights_sha256"].decode() == scored.weights_sha256
    assert found[b"numeral.repository"].decode() == scored.repository
    assert parquet.read_table("table.parquet").num_rows == 300
