"""The tree of the service's errors: drawn as it is, and every error of a call has its status."""

import inspect
import re

import pytest

import core.errors
import service.errors
from core.errors import (
    ArtifactError,
    ConfigError,
    DataError,
    FeedbackError,
    LeaseHeldError,
    LeaseLostError,
    NumeralError,
    PictureError,
    ReviewError,
    ServerLostError,
    SourceError,
    StorageError,
    TrainingError,
    WorkerLostError,
)
from service.api.status import STATUS, status_of
from service.client import failures
from service.errors import CallError

REACH_A_CALL = (PictureError, FeedbackError, CallError)
"""What a handler may raise."""

REACH_NO_CALL = (
    ArtifactError,
    service.errors.CannotTryError,
    ConfigError,
    DataError,
    LeaseHeldError,
    LeaseLostError,
    ReviewError,
    ServerLostError,
    WorkerLostError,
    SourceError,
    StorageError,
    TrainingError,
)
"""What training, the command line and the watcher of versions raise, outside of calls."""


def defined_in(module) -> dict[str, type]:
    return {
        name: kind
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, NumeralError) and kind.__module__ == module.__name__
    }


@pytest.mark.parametrize("module", [service.errors, failures], ids=lambda module: module.__name__)
def test_the_tree_in_the_docstring_is_that_of_the_classes(module):
    above: dict[int, str] = {}
    drawn: dict[str, str] = {}
    for branch, name in re.findall(r"^    ([│├└─ ]*)(\w+)  ", module.__doc__, re.MULTILINE):
        above[len(branch)] = name
        if branch:
            drawn[name] = above[len(branch) - 4]
    kinds = defined_in(module)
    assert {name: drawn[name] for name in kinds} == {name: kind.__bases__[0].__name__ for name, kind in kinds.items()}
    assert drawn.keys() - kinds.keys() <= set(defined_in(core.errors))


def test_every_error_that_may_reach_a_call_has_a_row_in_the_table_of_status():
    kinds = [*defined_in(core.errors).values(), *defined_in(service.errors).values()]
    unforeseen = [kind.__name__ for kind in kinds if not issubclass(kind, tuple(STATUS))]
    known = [kind.__name__ for kind in kinds if issubclass(kind, REACH_NO_CALL)]
    assert sorted(unforeseen) == sorted([*known, CallError.__name__, NumeralError.__name__])
    assert [kind for kind in kinds if issubclass(kind, REACH_A_CALL) and issubclass(kind, REACH_NO_CALL)] == []


def test_every_error_of_a_call_has_a_row_of_its_own():
    of_no_call = {
        CallError,
        service.errors.CannotTryError,
        service.errors.NotEnoughMemoryError,
        service.errors.StorageHungError,
    }
    assert set(defined_in(service.errors).values()) - STATUS.keys() == of_no_call


def test_no_row_of_the_table_is_hidden_by_the_row_of_a_base_class():
    for kind, code in STATUS.items():
        assert next(code for row, code in STATUS.items() if issubclass(kind, row)) is code, kind


def test_the_text_of_an_unforeseen_error_is_not_sent():
    code, sentence = status_of(ValueError("a secret"))
    assert (code.name, sentence) == ("INTERNAL", "internal error")
