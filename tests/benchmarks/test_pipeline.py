"""The benchmark of a retraining: which rows it makes of its figures. That its command runs is seen when it is used."""

from benchmarks.pipeline import PLAIN, Figures, rows

FAST = Figures(unchanged=[5.0, 4.0, 20.0], overhead=[2.0], memory=[300.0])
SLOW = Figures(unchanged=[10.0], overhead=[8.0], memory=[600.0])


def test_each_figure_is_compared_with_its_limit_by_the_median():
    found = {row.case: row for row in rows({(0, ""): FAST}, "")}
    unchanged = found["unchanged retrain, Prefect"]
    assert (unchanged.peer, unchanged.ours, unchanged.theirs, unchanged.ratio) == ("limit", 5.0, 10.0, 2.0)
    assert [row.theirs for row in found.values()] == [10.0, 4.0, 600.0]


def test_both_engines_are_compared_with_what_another_checkout_needs_with_prefect():
    figures = {(0, "prefect"): FAST, (0, PLAIN): FAST, (1, "prefect"): SLOW, (1, PLAIN): FAST}
    found = [row for row in rows(figures, "before") if row.peer == "before"]
    assert [row.case for row in found[::3]] == ["unchanged retrain, Prefect", "unchanged retrain, plain engine"]
    assert {row.theirs for row in found} == {10.0, 8.0, 600.0}
