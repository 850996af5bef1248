"""A real service on trial, and what is made of its end."""

import selectors
from pathlib import Path

import pytest

from core.artifact.repository import Repository
from service.trial.on_trial import ServiceOnTrial
from tests.patience import eventually
from tests.service.tiny_model import publish


@pytest.fixture
def url(tmp_path: Path) -> str:
    repository = Repository(str(tmp_path / "models"), writable=True)
    publish(repository, seed=1)
    return repository.url


def test_a_service_that_ended_between_two_looks_was_one_that_could_be_started(url: str) -> None:
    with ServiceOnTrial(url, 1) as service, selectors.DefaultSelector() as selector:
        selector.register(service._process.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]
        assert selector.select(timeout=240), "it never announced its address"
        service.ask_to_stop()
        eventually(lambda: service._process.poll() is not None)
        service.look()
        assert service.address
        assert service.trouble.startswith("the service ended with exit status ")
