"""The report: complete, self-contained, safe against hostile text, and equal for equal input."""

import re
import subprocess
import sys
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from math import nan

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from core.artifact.manifest import Architecture, Calibration, Robustness, Verdict
from core.artifact.origin import CodeProvenance, Environment
from core.data.labeled import Labeled
from core.digit import NO_DIGIT
from core.measure.corruptions import CORRUPTIONS
from core.measure.evaluate import Mistake, evaluate
from core.shipped import ROOT
from core.train.report import EpochReport
from pipelines.report import charts, pictures, render_card, tables
from tests.pipelines.report.report_inputs import (
    DRAWN,
    EVALUATION,
    IMAGES,
    LABELS,
    REJECTING,
    Page,
    epochs,
    manifest,
    metrics,
    report,
)

SECTIONS = ["curves", "confusion", "classes", "mistakes", "reliability", "robustness", "weights", "provenance"]
HOSTILE = "</style><script>alert('x')</script> | `a` **b** <img src=https://example.com/x.png>"


def decode(uri: str) -> Image.Image:
    head, _, data = uri.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(BytesIO(b64decode(data)))


@pytest.fixture(scope="module")
def html() -> bytes:
    return report()


@pytest.fixture
def page(html) -> Page:
    return Page(html)


def test_the_report_has_every_section_and_an_anchor_to_it(page):
    headings = [attributes.get("id") for tag, attributes in page.tags if tag == "h2"]
    assert headings == SECTIONS
    assert [value for value in page.values("href") if value.startswith("#")][: len(SECTIONS)] == [
        f"#{section}" for section in SECTIONS
    ]


def test_the_head_shows_the_verdict_and_the_most_important_numbers(page):
    words = page.words()
    low, high = EVALUATION.interval
    assert "mnist version 3" in words
    assert "Passed the gate: better than before. Version 2 was the champion at the time." in words
    assert "Test accuracy92.50%95% interval" in words
    assert f"{low:.2%} to {high:.2%}" in words
    assert "Validation accuracy97.84%95% interval 97.40% to 98.21%" in words
    assert "Test errors3of 40 wrong" in words
    assert f"Calibration error{EVALUATION.calibration_error:.2%}" in words
    assert "Parameters4,780" in words
    assert "Training time1 min 15 s3 epochs" in words


def test_the_head_of_a_rejected_version_says_so_and_why():
    verdict = Verdict(promote=False, reason="below the floor", parent=None)
    words = Page(report(manifest=manifest(verdict=verdict))).words()
    assert "Rejected by the gate: below the floor. There was no champion to compare it with." in words


def test_the_report_links_to_the_page_where_people_draw_if_its_address_is_known(html):
    links = Page(report(page="https://digits.example/numeral")).values("href")
    assert {"https://digits.example/numeral/", "https://digits.example/numeral/models/3"} <= set(links)
    assert b"Draw a digit" not in html


def test_the_report_loads_nothing_from_the_network(html, page):
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a)
    assert "default-src 'none'" in (policy or "")
    links = [link for name in ("src", "href", "xlink:href", "action", "srcset") for link in page.values(name)]
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    assert not {tag for tag, _ in page.tags} & {"script", "iframe", "object", "embed", "form", "base"}
    assert all(target.startswith((b"data:", b"#")) for target in re.findall(rb"url\(['\"]?([^)]*)", html))
    assert b"@import" not in html


def test_hostile_text_is_shown_as_text():
    hostile = manifest(
        recipe_name=HOSTILE,
        recipe={"description": HOSTILE, "train": {HOSTILE: HOSTILE}},
        verdict=Verdict(promote=True, reason=HOSTILE, parent=2),
        robustness={HOSTILE: Robustness(description=HOSTILE, count=1, accuracy=1.0, interval=(0.2, 1.0))},
        architecture=Architecture(input_shape=(784,), layers=({"kind": HOSTILE, HOSTILE: HOSTILE},), parameter_count=1),
        environment=Environment(python=HOSTILE, numpy=HOSTILE, blas=HOSTILE, cpu=HOSTILE, threads=1),
        code=CodeProvenance(commit="0" * 40, dirty=True, sources_sha256="0" * 64),
    )
    page = Page(report(manifest=hostile))
    assert HOSTILE in page.text
    assert "script" not in {tag for tag, _ in page.tags}
    assert all(source.startswith("data:") for source in page.values("src"))

    card = render_card(hostile).decode()
    # Indented lines are code, where nothing is markup; everywhere else the text must be escaped.
    prose = "\n".join(line for line in card.splitlines() if not line.startswith("    "))
    assert "alert" in prose
    assert not re.search(r"(?<!\\)<script", prose)
    assert not re.search(r"(?<!\\)\*\*b", prose)


def test_equal_input_gives_equal_bytes(html):
    assert report() == html
    assert render_card(manifest()) == render_card(manifest())


UNUSUAL = {
    "one epoch": {"history": epochs(1)},
    "no epoch": {"history": []},
    "no dense first layer": {"first_layer": None},
    "no pictures": {"mistake_images": IMAGES[:0]},
    "fewer pictures": {"mistake_images": IMAGES[:1]},
    "blank weights": {"first_layer": np.zeros((28, 28, 2), np.float32)},
    "no mistakes": {"evaluation": evaluate(np.eye(10)[LABELS], LABELS), "mistake_images": IMAGES[:0]},
    "nothing corrupted": {"manifest": manifest(robustness={})},
    "a version without calibration": {
        "manifest": manifest(
            calibration=Calibration(),
            validation=metrics(raw_calibration_error=None, per_class_intervals=()),
            test=metrics(raw_calibration_error=None, per_class_intervals=()),
        )
    },
    "one image": {"evaluation": evaluate(np.eye(10)[:1], np.array([0])), "mistake_images": IMAGES[:0]},
    "a loss that is not a number": {"history": [replace(epochs(1)[0], train_loss=nan, validation_loss=nan)]},
}


@pytest.mark.parametrize("changes", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_input_still_gives_every_section_and_no_nan(changes):
    page = Page(report(**changes))
    assert [attributes.get("id") for tag, attributes in page.tags if tag == "h2"] == SECTIONS
    shown = page.text + " ".join(v or "" for _, attributes in page.tags for v in attributes.values())
    # Inside base64, three letters may meet by chance.
    assert not re.search(r"\b(nan|NaN|inf|None|Undefined)\b", re.sub(r"base64,[A-Za-z0-9+/=]*", "", shown))


def test_no_id_occurs_twice_although_every_chart_brings_its_own(page):
    ids = page.values("id")
    assert len(ids) == len(set(ids))


def test_charts_take_their_colors_from_the_page_and_name_their_last_values(page):
    charts_found = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert [chart["role"] for chart in charts_found] == ["img"] * 4
    assert charts_found[0]["aria-label"] == "Loss, in nats: after epoch 3, training 0.3333, validation 0.4633."
    assert "#00000" not in "".join(charts.learning_curves(epochs(3)))


def test_the_lowest_validation_loss_is_named():
    assert "lowest after epoch 10 of 12, at 0.3." in Page(report(history=epochs(12))).words()


def test_the_confusion_matrix_shades_mistakes_and_names_the_most_frequent(page):
    assert tables.heat(EVALUATION)[4][9] == 1
    assert tables.heat(EVALUATION)[7][9] == 0.5
    assert tables.heat(EVALUATION)[4][4] == 0
    assert [value for value in page.values("style") if "--heat" in value] == ["--heat:1.000", "--heat:0.500"]
    words = page.words()
    assert "a 4 read as 9: 2 times, 50.0% of all images of 4" in words
    assert "a 7 read as 9: 1 time, 25.0% of all images of 7" in words


def test_the_temperature_is_shown_with_the_calibration_before_and_after(page):
    words = page.words()
    before, after = f"{EVALUATION.raw_calibration_error:.2%}", f"{EVALUATION.calibration_error:.2%}"
    assert before != after
    assert "Here it is 1.25." in words
    assert f"Test{before}{after}" in words
    assert f"{before} before temperature scaling" in words
    diagram = [attributes["aria-label"] for tag, attributes in page.tags if tag == "svg"][3]
    assert diagram == f"Reliability diagram: calibration error {before} at temperature 1, {after} as published."


def test_the_reliability_diagram_is_repeated_in_numbers(page):
    words = page.words()
    for b in EVALUATION.reliability:
        assert f"{b.confidence:.1%}{b.accuracy:.1%}{b.interval[0]:.1%}–{b.interval[1]:.1%}{b.count}" in words


def test_each_corruption_is_shown_with_its_interval_and_an_altered_digit(page):
    words = page.words()
    assert "normal noise1080.00%49.0%–94.3%" in words
    assert "drops of rain1030.00%10.8%–60.3%" in words
    [shown] = [a for tag, a in page.tags if tag == "img" and a.get("class") == "digit"]  # rain is not known here
    expected = CORRUPTIONS["noise"].apply(IMAGES[1:2])[0]
    np.testing.assert_array_equal(np.asarray(decode(shown["src"] or "")), expected)


def test_an_interval_is_drawn_where_its_numbers_lie_on_the_axis(page):
    drawn = [style for style in page.values("style") if "--low" in style]
    # The axis of corruptions begins at 10%, just below 10.78%: 30% lies at 20/90 of it.
    assert drawn[-1] == "--at:0.2222;--low:0.0087;--high:0.5591"
    assert len(drawn) == 10 + 1 + 2  # digits, the test set as it is, two corruptions


@pytest.mark.parametrize(
    ("shares", "start"),
    [([0.97], 0.95), ([0.93, 0.5049], 0.5), ([1.0], 0.95), ([], 0.95), ([0.0, 1.0], 0.0), ([0.95], 0.95)],
)
def test_an_axis_begins_at_the_next_multiple_of_five_percent_below(shares, start):
    axis = tables.Axis.of(shares)
    assert axis.start == start
    assert (axis.place(start), axis.place(1.0)) == (0, 1)


def test_recall_and_precision_answer_different_questions():
    row = tables.classes(EVALUATION, manifest().validation, tuple("0123456789"))[9]
    assert row.accuracy == 1  # every 9 was read as a 9 …
    assert row.precision == 4 / 7  # … but three of seven readings as 9 were wrong


def test_mistakes_are_shown_with_their_pictures_the_most_confident_first(page):
    shown = [attributes for tag, attributes in page.tags if tag == "img" and "Test image" in (attributes["alt"] or "")]
    assert [attributes["alt"] for attributes in shown] == [
        "Test image 16: a handwritten 4, read as 9",
        "Test image 28: a handwritten 7, read as 9",
        "Test image 17: a handwritten 4, read as 9",
    ]
    for attributes, image in zip(shown, IMAGES, strict=True):
        np.testing.assert_array_equal(np.asarray(decode(attributes["src"] or "")), image)


def test_the_number_of_mistakes_includes_those_that_are_not_shown():
    evaluation = replace(EVALUATION, mistakes=(Mistake(16, 4, 9, 0.99),))
    assert "Of 3 wrong readings, this is the most confident one." in Page(report(evaluation=evaluation)).words()


def test_a_version_that_rejects_shows_how_much_and_by_which_rule():
    page = Page(report(manifest=manifest(**REJECTING), drawn=DRAWN))
    words = page.words()
    assert "An image below 0.25 is rejected." in words
    assert "test images10,0000.12%0.07%–0.21%0%" in words
    assert "drawn images that show no digit2,00095.40%94.39%–96.23%100%" in words
    assert "1 / (1 + exp(−(1.5 E − 2.25)))" in words
    headings = [attributes.get("id") for tag, attributes in page.tags if tag == "h2"]
    assert headings == [*SECTIONS[:6], "rejection", "drawn", *SECTIONS[6:]]
    assert {"#rejection", "#drawn"} <= set(page.values("href"))


def test_drawn_images_are_shown_by_their_label_what_is_no_digit_last():
    page = Page(report(manifest=manifest(**REJECTING, robustness={}), drawn=DRAWN))
    words = page.words()
    assert "7,000 digits in writing styles that MNIST lacks and 3 images that show no digit" in words
    assert "DigitSome of them 1 7 none" in words
    shown = [a["src"] or "" for tag, a in page.tags if tag == "img" and a.get("class") == "digit"]
    for source, index in zip(shown, [1, 0, 3, 2, 4], strict=True):
        np.testing.assert_array_equal(np.asarray(decode(source)), DRAWN.images[index])


def test_a_few_images_of_each_digit_are_shown_and_more_of_what_is_none():
    images = np.zeros((200, 28, 28), np.uint8)
    rows = pictures.examples(Labeled(images, np.repeat([4, NO_DIGIT], 100).astype(np.uint8)), tuple("0123456789"))
    assert [(label, len(shown)) for label, shown in rows] == [("4", 12), ("none", 36)]


def test_weights_are_drawn_by_sign_and_size():
    weights = np.zeros((28, 28, 2), np.float32)
    weights[0, 5, 0], weights[3, 0, 1] = 2.0, -2.0
    strip = np.asarray(decode(pictures.weight_strip(weights)).convert("RGBA"))
    assert strip.shape == (56, 28, 4)
    red, _, blue, opacity = strip[0, 5].tolist()
    assert (red > blue, opacity) == (True, 255)  # unit 0, positive: orange
    red, _, blue, opacity = strip[28 + 3, 0].tolist()
    assert (red < blue, opacity) == (True, 255)  # unit 1, below it, negative: blue
    assert strip[10, 10, 3] == 0  # zero: the page shows through


def test_the_strongest_units_are_shown_first_and_their_number_is_limited():
    weights = np.zeros((28, 28, 300), np.float32)
    weights[0, 0] = np.arange(300)
    page = Page(report(first_layer=weights))
    units = [title for title in page.values("title") if title.startswith("unit ")]
    assert units == [f"unit {n}" for n in range(299, 299 - pictures.MOST_UNITS, -1)]
    assert "The 256 strongest of 300 units" in page.words()


def test_a_network_of_128_units_makes_a_report_below_one_megabyte():
    images = np.random.default_rng(0).integers(0, 256, (60, 28, 28), np.uint8)
    wrong = tuple(Mistake(n, 4, 9, 0.9) for n in range(60))
    weights = np.random.default_rng(0).normal(size=(28, 28, 128)).astype(np.float32)
    html = report(
        history=epochs(50),
        evaluation=replace(EVALUATION, mistakes=wrong),
        mistake_images=images,
        first_layer=weights,
    )
    assert len(html) < 1_000_000


def test_matplotlib_is_loaded_only_to_draw_and_draws_the_same_in_another_process():
    script = """
import sys
from pipelines.report import charts
assert not [name for name in sys.modules if name.startswith("matplotlib")]
from core.train.report import EpochReport
print(*charts.learning_curves([EpochReport(1, 2, 1.5, 0.5, 1.25, 0.75, 0.1, 25.0, 1000.0)]), end="")
assert "matplotlib.pyplot" not in sys.modules
"""
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT)
    here = charts.learning_curves([EpochReport(1, 2, 1.5, 0.5, 1.25, 0.75, 0.1, 25.0, 1000.0)])
    assert run.stdout == " ".join(here)


def test_drawing_leaves_the_settings_of_matplotlib_alone():
    before = dict(mpl.rcParams)
    charts.learning_curves(epochs(2))
    assert dict(mpl.rcParams) == before
