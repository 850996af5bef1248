"""The report of a sweep: whole at any time, offline, escaped."""

import re
from typing import Any

import pytest

from pipelines.report.sweep_page import render_sweep
from pipelines.sweep.course import Course, Epoch
from pipelines.sweep.swept import Finalist, Row, Swept, Unsteady, beyond_luck


def row(number: int, loss: float, state: str = "complete", **given: Any) -> Row:
    epochs = (Epoch(train_loss=loss, validation_loss=loss + 0.1, validation_accuracy=0.5),) * 2
    course = Course(
        name=f"trial-{number:04}",
        trial=number,
        seed=1,
        overrides=(f"train.learning_rate={0.123456789 * (number + 1)}", 'train.schedule="cosine"'),
        fingerprint="f",
        planned=3,
        **({"state": state, "epochs": epochs, "kept": 2} | given),
    )
    return Row.of(course, None)


def swept(*rows: Row, **given: Any) -> Swept:
    fields: dict[str, Any] = {
        "recipe": "mlp",
        "space": "space.toml",
        "name": "mlp-0",
        "objective": "loss",
        "pruner": "median",
        "seed": 0,
        "wanted": 9,
        "finished": False,
        "timed_out": False,
        "trials": rows,
        "best": None,
        "beyond_luck": None,
        "finalists": (),
        "unsteady": (),
        "importances": {},
        "cpu_seconds": 90.0,
        "cpu_seconds_saved": 0.0,
        "command": None,
        "published": None,
        "report": "report.html",
    }
    return Swept(**(fields | given))


def test_the_best_trial_comes_first_and_failed_ones_last_with_their_reason():
    rows = (row(0, 0.5), row(1, 0.2), row(2, 0.9, "pruned"), row(3, 0.1, "failed", kept=0, reason="a loss of <inf>"))
    page = render_sweep(swept(*rows, best=1)).decode()
    assert re.findall(r'<th scope="row">(\d+)', page) == ["1", "0", "2", "3"]
    assert "Trial 3 failed</span>: a loss of &lt;inf&gt;" in page
    assert "0.1235" in page
    assert page.count("<svg ") == 5  # history, curves, parallel, and a slice for each of two keys


def test_the_page_loads_nothing_and_every_chart_has_a_name():
    page = render_sweep(swept(row(0, 0.5), row(1, 0.2), best=1)).decode()
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|<script|<link(?! rel=\"icon\" href=\"data:)", page)
    assert page.count("<svg ") == page.count('role="img" aria-label="')


@pytest.mark.parametrize("rows", [(), (row(0, 1.0, "running", epochs=(), kept=0),), (row(0, 1.0, "pruned"),)])
def test_a_sweep_without_a_complete_trial_has_a_page(rows):
    page = render_sweep(swept(*rows)).decode()
    assert "none is complete" in page
    assert "That comes after the last trial" in page


def finalist(number: int, *losses: float) -> Finalist:
    same = ("",) * len(losses)
    return Finalist(number=number, seeds=(2, 3, 4), losses=losses, accuracies=losses, weights_sha256=same)


def figure(page: str, title: str) -> tuple[str, str]:
    """What a figure says and what is below it."""
    (found,) = re.findall(rf"<dt>{title}</dt><dd>(.*?)</dd><dd>(.*?)</dd>", page)
    return found


def test_the_best_figures_are_means_over_seeds_as_soon_as_there_are_any():
    before = render_sweep(swept(row(0, 0.5), row(1, 0.2), best=1)).decode()
    assert figure(before, "The best trial's loss") == ("0.3", "trial 1, one seed")
    finalists = (finalist(0, 0.3, 0.4, 0.5), finalist(1, 0.5, 0.6, 0.7))
    after = render_sweep(swept(row(0, 0.5), row(1, 0.2), best=0, finalists=finalists, finished=True)).decode()
    assert figure(after, "The best trial's loss") == ("0.4", "trial 0, mean of 3 seeds")
    assert figure(after, "Its accuracy") == ("40.00%", "of the validation images, mean of 3 seeds")


def test_a_best_trial_that_fails_with_another_seed_is_named_with_its_reason():
    unsteady = (Unsteady(number=1, seed=3, reason="a loss of <inf>"),)
    page = render_sweep(swept(row(0, 0.5), row(1, 0.2), best=1, unsteady=unsteady, finished=True)).decode()
    assert "Trial 1 failed with seed 3</span>, so it is not compared here: a loss of &lt;inf&gt;." in page
    assert "None of the best trials could be trained with every seed" in page
    assert "No trial is complete" not in page


def test_a_sweep_whose_time_is_up_is_neither_finished_nor_running():
    page = render_sweep(swept(row(0, 0.5), best=0, timed_out=True)).decode()
    assert "<strong>Stopped by --timeout</strong>" in page
    assert "The same command goes on." in page
    assert "load it again" not in page


def test_it_says_whether_the_best_is_ahead_by_more_than_luck():
    near = (finalist(1, 0.10, 0.20, 0.30), finalist(0, 0.15, 0.25, 0.35))
    far = (finalist(1, 0.10, 0.11, 0.12), finalist(0, 0.80, 0.81, 0.82))
    assert (beyond_luck(near, "loss"), beyond_luck(far, "loss"), beyond_luck(far[:1], "loss")) == (False, True, None)
    for finalists, words in ((near, "cannot be told apart"), (far, "by more than seeds explain")):
        found = beyond_luck(finalists, "loss")
        page = render_sweep(swept(row(0, 0.5), row(1, 0.2), best=1, finalists=finalists, beyond_luck=found)).decode()
        assert words in page
