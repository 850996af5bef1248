"""Manifests with one place changed: what hypothesis makes of sound ones."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

GONE: Any = object()
"""In place of a value: the field, or the element of a list, is deleted."""

Place = tuple[str | int, ...]

numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
anything = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=12) | st.sampled_from(["0" * 64, "2026-01-02T03:04:05Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every place in a document but the whole."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*at, key)
            yield from places(value[key], (*at, key))


def at(document: Any, place: Place) -> Any:
    """The value at a place; `GONE` if there is none."""
    for key in place:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return GONE
    return document


@st.composite
def mutations(draw: st.DrawFn, documents: dict[str, Any]) -> tuple[Place, Any]:
    """A place, and a document that is changed there: to something near or far, or to what stood elsewhere."""
    document = copy.deepcopy(documents[draw(st.sampled_from(sorted(documents)))])
    # A list of nearly a thousand numbers must not take nearly all of the examples: first a part, then a place in it.
    part = draw(st.sampled_from(sorted(document)))
    inner = [(part, *rest) for rest in places(document[part])]
    place = draw(st.sampled_from([(part,), *inner]))
    *path, last = place
    holder = at(document, tuple(path))
    there = holder[last]
    new = draw(st.one_of(_near(there), st.just(GONE), st.just("elsewhere"), anything))
    if new == "elsewhere":
        other = draw(st.sampled_from(sorted(document)))
        new = at(document, draw(st.sampled_from([(other,), *((other, *rest) for rest in places(document[other]))])))
    if new is GONE:
        del holder[last]
    else:
        holder[last] = copy.deepcopy(new)
    if isinstance(holder, dict) and draw(st.integers(0, 9)) == 0:
        holder[draw(st.sampled_from(["added", "", "a/b", "manifest.json", "x" * 300]))] = draw(anything)
    return place, document


def _near(value: Any) -> st.SearchStrategy[Any]:
    """What is like a value, and may be just beyond what is allowed."""
    if isinstance(value, bool) or value is None:
        return st.sampled_from([True, False, None, 0, 1, "true", {}])
    if isinstance(value, int | float):
        steps = [
            -value,
            value + 1,
            value - 1,
            value * 2,
            value / 2,
            value + 1e-9,
            0,
            1,
            1.0,
            -1e-9,
            2**40 + 1,
            str(value),
        ]
        return st.sampled_from(steps)
    if isinstance(value, str):
        return st.sampled_from(
            [value[:-1], value + "0", value.upper(), f" {value}", f"{value}\n", value * 50, value[::-1], "", [value]]
        )
    if isinstance(value, list):
        return st.sampled_from([value[:-1], value[1:], [*value, *value[:1]], value[::-1], [], value * 2])
    return st.sampled_from([{}, [value], dict(list(value.items())[1:]), dict.fromkeys(value)])
