"""The layout of the packages: how long a chain of imports may be, and that no name stands for two modules."""

from collections import Counter
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]

LONGEST_CHAIN = 10
"""Modules of the service that import each other in a row: how far a reader may have to follow. The client counts as
one: it could be shipped alone, and whoever uses it need not look inside."""


@pytest.mark.parametrize("outside", [True, False], ids=["the service", "its client"])
def test_the_longest_chain_of_imports_in_the_service_is_bounded(outside):
    graph = grimp.build_graph("service", cache_dir=None)
    if outside:
        graph.squash_module("service.client")

    @cache
    def chain(module: str) -> tuple[str, ...]:
        """The longest chain that begins with a module."""
        others = graph.find_modules_directly_imported_by(module) - {module}
        return (module, *max(map(chain, others), key=len, default=()))

    begin = graph.modules if outside else {name for name in graph.modules if name.startswith("service.client")}
    longest = max(map(chain, begin), key=len)
    assert len(longest) <= LONGEST_CHAIN, " → ".join(longest)


@pytest.mark.parametrize("package", ["core", "pipelines", "service"])
def test_no_two_modules_of_a_package_have_the_same_name(package):
    names = Counter(file.stem for file in (ROOT / package).rglob("*.py") if not file.stem.startswith("__"))
    assert [name for name, count in names.items() if count > 1] == []
