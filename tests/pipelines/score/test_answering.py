"""What a worker does, and with which code."""

from dataclasses import replace

import pytest

from core.errors import ConfigError
from pipelines.score import answering, score_job
from pipelines.score.partition import Partition


def test_a_worker_with_other_code_or_libraries_answers_nothing_and_names_both(order, tmp_path, monkeypatch):
    asked = score_job._asked(order)
    [first, *_] = Partition.of(order.inputs, order.output, tmp_path, print)
    other = asked.reader.replace("numpy ", "numpy 0.")
    with pytest.raises(ConfigError, match=rf"has {asked.reader}, expected {other} as where the command runs"):
        replace(asked, reader=other).answer(first)
    monkeypatch.setattr(answering, "digest_of_sources", lambda *parts: "0" * 64)
    answering._predictor.cache_clear()
    with pytest.raises(ConfigError, match=f"has code of sha256 {'0' * 64}, .* expected {asked.reader}"):
        asked.answer(first)
    monkeypatch.undo()
    assert asked.answer(first).tally.items == first.count
