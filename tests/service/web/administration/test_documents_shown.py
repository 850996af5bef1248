"""Documents of versions, as pages show them: whatever is in them, what can be read is shown, and nothing fails."""

import base64
import json
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from service.web.administration.curves import LARGEST, Epoch, charts, history_view, ticks
from service.web.administration.loose import LARGEST_DOCUMENT, DamagedDocumentError, Loose, parsed
from service.web.administration.manifest_view import manifest_view
from service.web.administration.report_parts import ReportParts, report_parts
from service.web.administration.spelling import Spelling
from service.web.markdown import as_html
from tests.service.harness import ROOT

PUBLISHED = ROOT / "pretrained" / "mnist" / "1"
MANIFEST = json.loads((PUBLISHED / "manifest.json").read_bytes())

ABSURD = [
    None,
    True,
    "",
    "<script>alert(1)</script>",
    "\ud800",
    "‮",
    "x" * 10_000,
    -1,
    0,
    2**63,
    10**400,
    1e308,
    -1e308,
    5e-324,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    [None] * 10,
    {"": {}},
    {"accuracy": "0.5"},
]


def places(value, path=()):
    """The place of every value in a document."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from places(one, (*path, name))


PLACES = list(places(MANIFEST))

EPOCH = {
    "epoch": 1,
    "epochs": 1,
    "train_loss": 0.5,
    "train_accuracy": 0.9,
    "validation_loss": 0.4,
    "validation_accuracy": 0.91,
    "learning_rate": 0.1,
}


def changed(document, path, value):
    """A copy of a document with another value at one place."""
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = changed(document[path[0]], path[1:], value)
    return copy


def shown(view) -> str:
    """Everything of a view, as the template would show it, in both languages."""
    for spelling in (Spelling("en"), Spelling("de")):
        for measured in (view.test, view.validation):
            spelling.percent(measured.accuracy)
            spelling.number(measured.loss)
        spelling.count(view.parameters)
        spelling.moment(view.created)
        spelling.number(view.temperature)
    return repr(view)


def test_a_published_manifest_is_shown_in_full():
    view = manifest_view((PUBLISHED / "manifest.json").read_bytes())
    assert view.recipe == MANIFEST["recipe_name"]
    assert view.test.accuracy == MANIFEST["test"]["accuracy"]
    assert view.parameters == MANIFEST["architecture"]["parameter_count"]
    assert [one.test for one in view.digits] == MANIFEST["test"]["per_class"]
    assert dict(view.settings)["train.seed"] == str(MANIFEST["recipe"]["train"]["seed"])
    assert view.created.isoformat()[:10] == MANIFEST["created"][:10]
    assert len(view.files) == len(MANIFEST["files"])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(ABSURD)), min_size=1, max_size=4),
)
def test_a_manifest_with_absurd_values_is_shown_without_them(changes):
    document = MANIFEST
    for path, value in changes:
        try:
            document = changed(document, path, value)
        except (KeyError, IndexError, TypeError):  # an earlier change has removed the place
            continue
    view = manifest_view(json.dumps(document).encode())
    shown(view).encode()
    assert len(shown(view)) < 500_000


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_bytes_that_are_no_document_are_refused_by_a_name_that_pages_know(data):
    for read in (manifest_view, history_view):
        with suppress(DamagedDocumentError):
            read(data)
    report_parts(data)
    as_html(data.decode("utf-8", "replace"), "Table")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(json_values)
def test_any_json_is_shown_as_a_manifest_and_as_a_history(value):
    data = json.dumps(value).encode()
    shown(manifest_view(data)).encode()
    repr(charts(history_view(data))).encode()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional={name: st.sampled_from(ABSURD) | st.floats() for name in EPOCH})))
def test_any_history_is_drawn(epochs):
    for chart in charts(history_view(json.dumps(epochs).encode())):
        numbers = [float(n) for line in chart.lines for s in line.strokes for n in s.replace(",", " ").split()]
        assert all(-1 <= number <= 481 for number in numbers)
        assert 2 <= len(chart.rows) <= 8


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"1" * 10_000,
        b" " * (LARGEST_DOCUMENT + 1),
    ],
)
def test_a_document_that_cannot_be_parsed_is_damaged(data):
    with pytest.raises(DamagedDocumentError):
        parsed(data)


def test_what_is_beyond_all_measure_is_not_known():
    one = Loose({"a": 10**300, "b": float("nan"), "c": -0.1, "d": True, "e": 1.5, "f": [0.9, 0.1]})
    assert one.at("a").number() is None
    assert one.at("b").number() is None
    assert one.at("c").share() is None
    assert one.at("d").count() is None
    assert one.at("e").count() is None
    assert one.at("f").interval() is None
    assert one.at("g", "h").text() == ""


def test_a_text_that_would_hide_or_turn_around_what_follows_loses_what_does_so():
    assert Loose("a\u202eb\x00c\ud800d\n").text() == "a\N{REPLACEMENT CHARACTER}b" + (
        "\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}d\N{REPLACEMENT CHARACTER}"
    )


def test_curves_lie_within_the_chart_and_go_down_as_the_loss_does():
    losses = [1.0, 0.5, 0.25]
    epochs = [Epoch(k + 1, loss, loss / 2, 0.9, 0.95, 0.1) for k, loss in enumerate(losses)]
    loss, accuracy = charts(epochs)
    heights = [float(point.split(",")[1]) for point in loss.lines[0].strokes[0].split()]
    assert heights == sorted(heights)
    assert accuracy.lines[1].last == 0.95
    assert [epoch for _, epoch in loss.columns] == [1, 2, 3]


def test_what_an_epoch_does_not_report_breaks_its_line():
    values = [0.5, None, 0.3, 0.2]
    (chart,) = charts([Epoch(k + 1, value, None, None, None, None) for k, value in enumerate(values)])
    assert len(chart.lines[0].strokes) == 2
    assert chart.lines[1].strokes == []


@settings(max_examples=300, deadline=None)
@given(st.floats(0, LARGEST), st.floats(0, LARGEST))
def test_ticks_ascend_and_are_few(one, other):
    found = ticks(min(one, other), max(one, other))
    assert found == sorted(set(found))
    assert 2 <= len(found) <= 8


def test_the_confusion_matrix_and_the_mistakes_are_found_in_a_published_report():
    parts = report_parts((PUBLISHED / "report.html").read_bytes())
    assert sum(map(sum, parts.confusion)) == MANIFEST["test"]["count"]
    right = sum(parts.confusion[k][k] for k in range(10))
    assert round(right / MANIFEST["test"]["count"], 6) == round(MANIFEST["test"]["accuracy"], 6)
    assert parts.mistakes
    assert all(one.label != one.read for one in parts.mistakes)
    assert {parts.heat(k, k) for k in range(10)} == {0}
    assert max(parts.heat(i, j) for i in range(10) for j in range(10)) == 9


def picture(side: int, kind: str = "PNG") -> str:
    data = BytesIO()
    Image.fromarray(np.zeros((side, side), np.uint8)).save(data, kind)
    return base64.b64encode(data.getvalue()).decode()


@pytest.mark.parametrize(
    "source",
    [
        "https://example.org/a.png",
        "javascript:alert(1)",
        "data:text/html;base64,PHNjcmlwdD4=",
        "data:image/svg+xml;base64,PHN2Zy8+",
        f"data:image/png;base64,{picture(29)}",
        f"data:image/png;base64,{picture(28, 'GIF')}",
        "data:image/png;base64,!!",
        "data:image/png;base64," + "A" * 100_000,
    ],
)
def test_only_a_small_png_gets_from_a_report_into_a_page(source):
    html = f'<img src="{source}" alt="Test image 1: a handwritten 2, read as 3">'
    assert report_parts(html.encode()).mistakes == []
    sound = f'<img src="data:image/png;base64,{picture(28)}" alt="Test image 1: a handwritten 2, read as 3">'
    assert len(report_parts(sound.encode()).mistakes) == 1


def test_a_matrix_that_is_not_ten_by_ten_is_left_out():
    row = "<tr>" + "<td>1</td>" * 10 + "</tr>"
    table = '<table class="confusion">{}</table>'
    assert report_parts(table.format(row * 10).encode()).confusion == [[1] * 10] * 10
    assert report_parts(table.format(row * 9).encode()) == ReportParts()
    assert report_parts(table.format("<tr><td>-1</td></tr>" * 10).encode()) == ReportParts()


def test_a_card_cannot_bring_html_or_pictures_or_scripts():
    html = as_html(
        '<script>alert(1)</script>\n\n[a](javascript:alert(1)) ![b](https://example.org/x.png "t")\n\n'
        "| a |\n|---|\n| <b> |",
        '"><script>',
    )
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "<img" not in html
    assert "<b>" not in html
    assert "<table>" in html


def test_the_columns_of_a_card_are_aligned_without_a_style_of_their_own():
    html = as_html("| a | |\n|:---|---:|\n| c | 1 |", "Table")
    assert "style=" not in html
    assert '<td class="number">1</td>' in html
    assert "<th></th>" not in html
    assert html.count('tabindex="0"') == 1


def test_what_the_service_says_begins_as_a_sentence_and_names_no_folder_of_its_machine() -> None:
    assert Spelling.sentence("version 5 is the champion") == "Version 5 is the champion"
    assert Spelling.sentence(f"/srv/feedback/{'a' * 64}.json: says 7, and another 1") == "Says 7, and another 1"
    assert Spelling.sentence("") == ""


def test_numbers_are_written_as_each_language_writes_them():
    assert Spelling("en").percent(0.98764) == "98.76%"
    assert Spelling("de").percent(0.5) == "50,00\N{NO-BREAK SPACE}%"
    assert Spelling("de").count(172426) == "172.426"
    assert Spelling("en").count(None) == "–"
    assert Spelling("en").number(float("nan")) == "–"
