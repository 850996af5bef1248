"""`python -m exercises` without a terminal: statuses, JSON, progress, reset."""

import json
import signal
import subprocess
import sys
import time

import pytest

from exercises import keyboard, process
from exercises.catalog import EXERCISES, ROOT, find
from exercises.commands import main
from exercises.folder import CHANGED, DONE, OPEN, Folder
from tests.exercises.learner import command, environment, solve, write


def test_the_first_start_fills_the_folder_and_checks_the_first_exercise(tmp_path):
    folder = tmp_path / "mine"
    done = command(folder)
    assert done.returncode == 1
    assert "Copied 17 exercises" in done.stdout
    assert "dense still has its gap" in done.stdout
    assert sorted(file.stem for file in folder.glob("*.py")) == [exercise.name for exercise in EXERCISES]


def test_without_a_terminal_the_first_open_exercise_is_checked_once(tmp_path):
    solve(tmp_path, "1")
    assert command(tmp_path).returncode == 0
    done = command(tmp_path)
    assert done.returncode == 1
    assert "02_dense_backward" in done.stdout


def test_filling_leaves_the_files_that_are_there(tmp_path):
    file = write(tmp_path, "3", "# mine\n")
    assert Folder(tmp_path).fill() == len(EXERCISES) - 1
    assert file.read_text() == "# mine\n"


def test_the_default_folder_is_ignored_by_git():
    assert "/my_exercises/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_check_prints_one_json_document_and_its_status_says_whether_all_passed(tmp_path):
    solve(tmp_path, "1")
    done = command(tmp_path, "check", "1", "2", "--json")
    first, second = json.loads(done.stdout)
    assert done.returncode == 1
    assert (first["exercise"], first["outcome"]) == ("01_dense_forward", "passed")
    assert (second["exercise"], second["outcome"]) == ("02_dense_backward", "unfilled")
    assert second["code"] == "raise NotImplementedError  # your code"
    assert command(tmp_path, "check", "1").returncode == 0


def test_check_without_a_name_checks_every_exercise(tmp_path):
    done = command(tmp_path, "check")
    assert done.returncode == 1
    assert done.stdout.count("not written yet") == len(EXERCISES)
    assert f"0 of {len(EXERCISES)} have passed." in done.stdout


def test_the_text_of_a_check_names_file_line_and_each_output(tmp_path):
    text = find("2").solution.read_text("utf-8").replace("dy.sum(axis=0)", "dy")
    file = write(tmp_path, "2", text)
    said = command(tmp_path, "check", "2").stdout
    assert f"not right yet  02_dense_backward  {file}:23" in said
    assert "23 | db = dy" in said
    assert "  db  wrong" in said
    assert "  dW  right  relative error" in said


def test_list_shows_what_has_passed_and_what_was_changed_since(tmp_path):
    solve(tmp_path, "1", "2")
    command(tmp_path, "check", "1", "2")
    write(tmp_path, "2", "# changed\n")
    states = {row["exercise"]: row["state"] for row in json.loads(command(tmp_path, "list", "--json").stdout)}
    assert (states["01_dense_forward"], states["02_dense_backward"], states["03_relu"]) == (DONE, CHANGED, OPEN)
    assert "1 of 17 have passed." in command(tmp_path, "list").stdout


def test_an_exercise_that_fails_later_has_no_longer_passed(tmp_path):
    folder, exercise = Folder(tmp_path), find("1")
    solve(tmp_path, "1")
    folder.remember(exercise, folder.digest(exercise), passed=True)
    assert folder.state(exercise) == DONE
    folder.remember(exercise, folder.digest(exercise), passed=False)
    assert folder.state(exercise) == OPEN


def test_damaged_progress_counts_as_none(tmp_path):
    (tmp_path / ".progress.json").write_text("{", "utf-8")
    assert Folder(tmp_path).first_open() == EXERCISES[0]


def test_reset_brings_the_original_back_and_keeps_what_was_written(tmp_path):
    file = write(tmp_path, "3", "# mine\n")
    done = command(tmp_path, "reset", "3")
    assert done.returncode == 0
    assert file.read_text("utf-8") == find("3").gap.read_text("utf-8")
    assert (tmp_path / "03_relu.py.1").read_text() == "# mine\n"
    assert "03_relu.py.1" in done.stdout


def test_reset_twice_keeps_both_texts(tmp_path):
    for text in ("# one\n", "# two\n"):
        write(tmp_path, "3", text)
        Folder(tmp_path).reset(find("3"))
    assert [(tmp_path / f"03_relu.py.{number}").read_text() for number in (1, 2)] == ["# one\n", "# two\n"]


def test_hints_say_more_from_level_to_level(tmp_path, capsys):
    assert main(["hint", "relu"]) == 0
    assert "Hint 1 of 3" in capsys.readouterr().out
    assert main(["hint", "relu", "--level", "9"]) == 0
    assert "    return np.maximum(x, 0)\n" in capsys.readouterr().out


def test_solution_prints_the_whole_file(capsys):
    assert main(["solution", "12"]) == 0
    assert capsys.readouterr().out == find("12").solution.read_text("utf-8")


def test_an_unknown_exercise_is_a_sentence_and_status_2(capsys):
    assert main(["hint", "transformer"]) == 2
    assert capsys.readouterr().err.startswith("error: no exercise 'transformer'; there are 01_dense_forward")


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["--folder", str(tmp_path / "file"), "list"]) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'file'}")


def test_an_endless_loop_ends_at_the_time_limit_with_its_line(tmp_path):
    write(tmp_path, "8", "def sgd(w, g, rate):\n    while True:\n        w = w\n")
    done = command(tmp_path, "check", "8", "--time-limit", "1")
    assert done.returncode == 1
    assert "It has not come to an end within 1 seconds" in done.stdout
    assert "08_sgd.py:" in done.stdout


def test_a_loop_that_no_exception_ends_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "GRACE", 2.0)
    body = "    signal.signal(signal.SIGALRM, signal.SIG_IGN)\n    while True: pass\n"
    file = write(tmp_path, "8", f"import signal\n\ndef sgd(w, g, rate):\n{body}")
    found = process.check(find("8"), file, 1)
    assert "had to be killed" in found.sentences[0]


def test_a_file_that_wants_all_memory_gets_a_sentence(tmp_path):
    write(tmp_path, "8", "import numpy as np\n\ndef sgd(w, g, rate):\n    return np.ones(1 << 40)\n")
    said = command(tmp_path, "check", "8").stdout
    assert "more memory than it may have" in said
    assert "08_sgd.py:4" in said


def test_a_file_that_ends_the_process_gets_a_sentence(tmp_path):
    file = write(tmp_path, "8", "import os\n\ndef sgd(w, g, rate):\n    os._exit(7)\n")
    assert process.check(find("8"), file).sentences == ["The file has ended the process of the check (exit status 7)."]


def test_an_interrupt_ends_a_check_without_a_traceback_and_without_a_child(tmp_path):
    started = tmp_path / "started"
    loop = f"    open({str(started)!r}, 'w').close()\n    while True: pass\n"
    write(tmp_path, "8", f"def sgd(w, g, rate):\n{loop}")
    asking = subprocess.Popen(
        [sys.executable, "-m", "exercises", "--folder", str(tmp_path), "check", "8", "--time-limit", "300"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    while not started.exists():
        assert asking.poll() is None
        time.sleep(0.05)
    asking.send_signal(signal.SIGINT)
    _, errors = asking.communicate(timeout=60)
    assert asking.returncode == 130
    assert "Traceback" not in errors


def test_the_command_is_no_terminal_where_standard_input_is_closed(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert not keyboard.there_is_one()


@pytest.mark.parametrize("arguments", [["check", "--time-limit", "0"], ["hint", "1", "--level", "0"], ["fly"]])
def test_a_wrong_command_line_has_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
