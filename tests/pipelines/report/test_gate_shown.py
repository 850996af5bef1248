"""What report and card show of the gate's verdict."""

from core.artifact.manifest import Check, Slice, Verdict
from pipelines.report import render_card
from tests.pipelines.report.report_inputs import Page, manifest, report

CHECKED = Verdict(
    promote=False,
    reason="worse",
    parent=2,
    best=1,
    consulted=7,
    checks=(
        Check(name="accuracy against version 2", found=-0.01, wanted=-0.005, passed=False, words="1 point less"),
        Check(name="handwriting against version 2", found=20, wanted=60, passed=None, words="too few pictures"),
    ),
    slices=(Slice(name="handwriting", images=20, accuracy=0.9, sha256="0" * 64),),
    instruction="always",
    instructed_by="ada@home",
)


def test_the_report_shows_every_check_of_the_gate_and_who_overruled_it():
    page = Page(report(manifest=manifest(verdict=CHECKED)))
    words = page.words()
    assert "accuracy against version 2failed1 point less" in words
    assert "handwriting against version 2not decidedtoo few pictures" in words
    assert "Handwriting: 20 pictures that nobody trains on, of which 90.00% are read correctly" in words
    assert "It was promoted by order of ada@home, whatever the gate said." in words
    assert "These validation images have now decided about 7 versions." in words
    assert "#gate" in page.values("href")


def test_the_card_shows_every_check_of_the_gate():
    card = render_card(manifest(verdict=CHECKED)).decode()
    assert "| accuracy against version 2 | failed | 1 point less |" in card
    assert "| Best version then | version 1 |" in card
    assert "decided about 7 versions" in card
