"""How ticks of logarithmic axes are written."""

import pytest

from pipelines.report.charts import drawn
from pipelines.report.powers import logarithmic, power


@pytest.mark.parametrize(
    ("x", "written"),
    [(0.001, "10⁻³"), (1e-7, "10⁻⁷"), (1, "1"), (20, "20"), (100, "10²"), (1e12, "10¹²"), (0.002, "2×10⁻³")],
)
def test_a_tick_is_a_power_of_ten(x: float, written: str) -> None:
    assert power(x) == written


@pytest.mark.parametrize(
    ("values", "shown", "not_shown"),
    [([1e-4, 1e-1], ["10⁻⁴", "10⁻²"], ["2×10"]), ([0.002, 0.006], ["2×10⁻³", "4×10⁻³"], ["10⁻⁴"])],
    ids=["several decades", "less than one"],
)
def test_an_axis_labels_its_decades_and_what_lies_between_if_it_has_but_one(
    values: list[float], shown: list[str], not_shown: list[str]
) -> None:
    def plot(axes) -> None:
        axes.plot([1, 2], values)
        logarithmic(axes)

    chart = drawn("title", "name", plot)
    assert [tick for tick in shown if f">{tick}<" not in chart] == []
    assert [tick for tick in not_shown if tick in chart] == []
