"""docs/comparison.md quotes only figures that stand in docs/benchmarks.md."""

import re

from tests.docs.pages import ROOT

FIGURE = re.compile(r"\d{1,3}(?:,\d{3})+|\d+ µs")


def test_every_figure_of_the_comparison_stands_in_the_benchmarks():
    compared = set(FIGURE.findall((ROOT / "docs/comparison.md").read_text("utf-8")))
    measured = set(FIGURE.findall((ROOT / "docs/benchmarks.md").read_text("utf-8")))
    assert len(compared) >= 15
    assert compared - measured == set()
