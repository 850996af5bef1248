"""A storage that fails right after the champion's alias has moved: the run has promoted its version, and says so."""

from pathlib import Path

import pytest

from core.artifact.alias import AliasLog, Move
from core.artifact.repository import Repository
from core.errors import RepositoryError
from pipelines.engine import engine as engine_module
from pipelines.engine.engine import Engine
from pipelines.order import Order
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from pipelines.retrain import promoting
from tests.pipelines.runs import publish, run_in


def test_a_move_after_which_the_storage_fails_is_told_as_one_of_this_run(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_PAUSES", (0.0, 0.0))
    order = Order(repository=str(tmp_path / "models"), data_dir=tmp_path / "data")
    run = run_in(tmp_path / "work", dataset, recipe)
    manifest = publish(order, run)
    truly, failures = Repository._confirm, [RepositoryError("no answer from the storage")]

    def confirm(self: Repository, log: AliasLog, move: Move) -> Move:
        if failures:  # the move has been written
            raise failures.pop()
        return truly(self, log, move)

    monkeypatch.setattr(Repository, "_confirm", confirm)
    advanced = Engine().reaching_out(promoting.promote)(order, run, manifest, lambda: None)
    assert order.store.champion() == 1
    assert (advanced.promoted, advanced.moved) == (True, True)
