import inspect
import re

import pytest

from core import errors
from core.errors import NumeralError


def drawn_tree() -> dict[str, str | None]:
    """Each class in the drawing, with the one that it hangs from: found by how far each name is indented."""
    tree: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]
        match = re.match(r"^([\s│├└─]*)([A-Z]\w+Error)(?:\s|$)", line)
        if not match:
            continue
        depth, name = len(match[1]), match[2]
        while above and above[-1][0] >= depth:
            above.pop()
        assert name not in tree, f"{name} is drawn twice"
        tree[name] = above[-1][1] if above else None
        above.append((depth, name))
    return tree


CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, Exception) and value.__module__ == errors.__name__
}


def test_the_drawn_tree_is_the_real_one() -> None:
    real = {name: value.__base__.__name__ for name, value in CLASSES.items()} | {"NumeralError": None}
    assert drawn_tree() == real


def test_the_drawing_keeps_the_order_of_the_classes() -> None:
    assert list(drawn_tree()) == list(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_is_caught_as_numerals_own_and_says_what_it_means(name: str) -> None:
    error = CLASSES[name]
    assert issubclass(error, NumeralError)
    assert error.__doc__
    with pytest.raises(NumeralError, match=r"^train-labels: magic 2051$"):
        raise error("train-labels: magic 2051")


def test_errors_have_one_base_each() -> None:
    assert all(len(error.__bases__) == 1 for error in CLASSES.values())
