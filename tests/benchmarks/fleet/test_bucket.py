"""The bucket of the benchmark: real requests, counted by its own log."""

import os

import pytest

from benchmarks.fleet import bucket as module
from benchmarks.fleet.bucket import bucket
from core.artifact.objects import Objects
from core.errors import ConfigError


def test_listings_are_counted_and_nothing_else_and_the_environment_is_restored():
    before = dict(os.environ)
    with bucket() as found:
        objects = Objects(found.url, writable=True)
        assert objects.create("mnist/1/a", b"data")
        assert objects.get("mnist/1/a") == b"data"
        assert found.listings() == 0
        for number in (1, 2, 3):
            objects.list("mnist")
            assert found.listings() == number
    assert dict(os.environ) == before


def test_without_moto_the_error_says_how_to_get_it_and_what_goes_without(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"not installed: pip install 'moto\[s3,server\]', .*--case folder"), bucket():
        pass
