"""What follows a success: networks made of the learner's files, and a layer that is trained and served."""

import json

from exercises import finale
from exercises.catalog import EXERCISES, find
from tests.exercises.learner import command, solve, write


def test_files_that_pass_together_are_a_network_that_learns(tmp_path):
    solve(tmp_path, *map(str, range(1, 10)))
    [found] = json.loads(command(tmp_path, "check", "9", "--json").stdout)
    assert found["outcome"] == "passed"
    assert found["note"].startswith("A network 784-64-10 made of your files alone was just trained on MNIST: it reads ")


def test_a_convolutional_network_of_the_files_learns_too(tmp_path):
    solve(tmp_path, *map(str, range(1, 17)))
    [found] = json.loads(command(tmp_path, "check", "16", "--json").stdout)
    assert found["outcome"] == "passed"
    assert found["note"].startswith("A convolutional network made of your files alone was just trained on MNIST")


def test_while_other_files_do_not_pass_the_check_says_which(tmp_path):
    solve(tmp_path, *(exercise.name for exercise in EXERCISES[:9] if exercise.number not in ("05", "08")))
    [found] = json.loads(command(tmp_path, "check", "9", "--json").stdout)
    assert found["outcome"] == "passed"
    assert found["note"].startswith("As soon as 05_cross_entropy, 08_sgd pass as well")


def test_an_own_layer_is_trained_published_and_served(tmp_path):
    solve(tmp_path, "17")
    done = command(tmp_path, "check", "17", "--json")
    [found] = json.loads(done.stdout)
    assert found["outcome"] == "passed", found["sentences"]
    assert "published as version 1; the service has loaded it, and reads examples/seven.png as 7" in found["note"]


def test_an_own_layer_that_training_refuses_is_a_sentence(tmp_path):
    """Its slopes are right, but it takes fewer rows than a batch has."""
    text = find("17").solution.read_text("utf-8")
    text = text.replace("        if training:", "        assert len(x) < 20, 'too many'\n        if training:")
    write(tmp_path, "17", text)
    done = command(tmp_path, "check", "17")
    assert done.returncode == 1
    assert "`python -m pipelines retrain` failed with your layer" in done.stdout
    assert "in line 32 of your file: AssertionError: too many" in " ".join(done.stdout.split())


def test_the_copy_of_the_project_changes_nothing_in_the_project(tmp_path):
    finale._copy_project(tmp_path)
    finale._register(tmp_path, find("17").solution)
    assert "OwnLayer" in (tmp_path / "core/nn/architectures.py").read_text("utf-8")
    assert "OwnLayer" not in (finale.ROOT / "core/nn/architectures.py").read_text("utf-8")
    assert not (finale.ROOT / "core/nn/own_layer.py").exists()
