"""How many processors there are to work with."""

import os

from pipelines.workers.processors import usable_processors


def test_all_processors_count_where_the_system_does_not_tell_which_may_be_used(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert usable_processors() == 7


def test_where_the_system_tells_only_usable_processors_count(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert usable_processors() == 2
