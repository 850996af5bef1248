"""Marks that several files use."""

import pytest

__all__ = ["NO_WARNING"]

NO_WARNING = pytest.mark.filterwarnings(
    "error",
    # What other tests left open is closed whenever the garbage collector runs, in whichever test that is.
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
"""A warning fails the test."""
