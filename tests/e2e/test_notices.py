"""What other programs hear of a retraining: a real receiver of webhooks, and the real command without Prefect."""

import base64
from collections.abc import Iterator

import pytest

from pipelines.schedule.journal import Journal
from tests.e2e.workshop import Workshop
from tests.pipelines.notices.receiver import Receiver

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def receiver(workshop: Workshop) -> Iterator[Receiver]:
    with Receiver(SECRET) as receiver:
        workshop.environment.update(NUMERAL_WEBHOOK_URL=receiver.url, NUMERAL_WEBHOOK_SECRET=SECRET)
        workshop.environment["NUMERAL_PAGE_URL"] = "https://digits.example/"
        yield receiver


def retrain(workshop: Workshop, *arguments: str) -> int:
    quick = ("--set", "train.epochs=1", "--set", "train.batch_size=64")
    return workshop.run("pipelines", "retrain", "--engine", "plain", *quick, *arguments).status


def heard(receiver: Receiver) -> list[tuple[str, int | None]]:
    return [(found["type"].removeprefix("numeral.model."), found["data"]["version"]) for found in receiver.received]


def test_each_run_tells_what_became_of_it(workshop: Workshop, receiver: Receiver) -> None:
    assert retrain(workshop, "--dry-run") == 0
    assert heard(receiver) == [], "a dry run publishes nothing"
    assert retrain(workshop) == 0
    assert retrain(workshop) == 0
    assert heard(receiver) == [("published", 1), ("promoted", 1)], "an unchanged run has nothing to tell"
    assert receiver.received[0]["data"]["metrics"]["test_accuracy"] > 0.9
    assert receiver.received[0]["data"]["page"] == "https://digits.example/models/1"
    receiver.received.clear()
    assert retrain(workshop, "--set", "train.learning_rate=0.001") == 3
    assert heard(receiver) == [("published", 2), ("rejected", 2)]
    assert "validation accuracy" in receiver.received[1]["data"]["reason"]
    receiver.received.clear()
    assert retrain(workshop, "--set", "train.learning_rate=0.001") == 0
    assert heard(receiver) == [], "an earlier run has told of the rejection"
    assert retrain(workshop, "--set", "train.learning_rate=0.001", "--promote", "always") == 0
    assert heard(receiver) == [("promoted", 2)], "an earlier run has published it"
    promotion = Journal(workshop.data_dir).read().last_promotion  # type: ignore[union-attr]
    assert promotion is not None
    assert (promotion.outcome, promotion.version) == ("published", 2)
    receiver.received.clear()
    assert retrain(workshop, "--extra", str(workshop.data_dir / "nowhere")) == 1
    assert heard(receiver) == [("failed", None)]
    assert "nowhere: No such file or directory" in receiver.received[0]["data"]["reason"]
