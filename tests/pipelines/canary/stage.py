"""A champion and a version that is a canary beside it, in a real repository, and what a real service makes of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from core.artifact.manifest import Verdict
from core.artifact.repository import Repository
from pipelines.canary.beginning import AsCanary
from pipelines.canary.challenger_alias import CHALLENGER
from pipelines.canary.looked import Look
from pipelines.canary.looking import Looker
from pipelines.order import Order
from pipelines.promotion.probation import Held
from pipelines.sections import CanarySection
from service.client import Recognizer
from tests.patience import eventually
from tests.service.harness import Running, running
from tests.service.scraped import scrape
from tests.service.tiny_model import publish

CHAMPION, CANARY = 1, 2

SOON = ("promotion.canary.pictures=20", "promotion.canary.minutes=0")
WIDE = ("promotion.canary.max_failure_rise=0.9", "promotion.canary.max_rejection_rise=0.9")
"""So that a few dozen pictures decide."""


@dataclass
class Stage:
    """The repository, the orders for it, and what was said."""

    folder: Path
    said: list[str]
    addresses: tuple[str, ...] = ()
    overrides: tuple[str, ...] = (*SOON, *WIDE)

    @property
    def repository(self) -> Repository:
        return Repository(str(self.folder / "models"), writable=True)

    @property
    def order(self) -> Order:
        return Order(
            repository=str(self.folder / "models"),
            data_dir=self.folder / "data",
            canary_services=self.addresses,
            overrides=self.overrides,
            infra_gate="off",
        )

    def publish(self, seed: int, parent: int | None = CHAMPION, **described: Any) -> int:
        """A version that the gate lets through, if the champion is `parent`."""
        verdict = Verdict(promote=True, reason=f"as good as version {parent}", parent=parent)
        return publish(self.repository, seed=seed, promote=False, verdict=verdict, **described)

    def begin(self, version: int = CANARY, **rule: Any) -> Held | str:
        """Make a version a canary, as a retraining does."""
        champion = self.repository.alias().target()
        return AsCanary(self.repository, version, CanarySection(**rule), by="a test").before_move(
            champion, "it is good"
        )

    def looker(self, minutes: float = 0.0) -> Looker:
        """Who looks at the canary, so many minutes later."""
        return Looker(self.order, self.said.append, lambda: datetime.now(UTC) + timedelta(minutes=minutes))

    def look(self, minutes: float = 0.0) -> Look:
        return self.looker(minutes).look()

    @property
    def champion(self) -> int | None:
        return self.repository.alias().target()

    @property
    def challenger(self) -> int | None:
        return self.repository.alias(CHALLENGER).target()

    @contextmanager
    def served(self, port: int, canary: str | None = "challenger:50%", **settings: Any) -> Iterator["Served"]:
        """A service that follows the repository, with its metrics on a port."""
        metrics = f"127.0.0.1:{port}"
        self.addresses = (metrics,)
        given = {"fallback_seconds": 0, **({"canary": canary} if canary else {}), **settings}
        with (
            running(self.folder / "models", metrics_port=port, **given) as server,
            Recognizer(server.address) as client,
        ):
            eventually(lambda: client.health() == "SERVING")
            yield Served(server, client, metrics)


@dataclass
class Served:
    """A service, a client of it, and where its metrics are."""

    server: Running
    client: Recognizer
    metrics: str

    def loaded(self, version: int) -> None:
        """Wait until it has loaded a version."""
        eventually(lambda: scrape(self.metrics)("numeral_model_loaded", version=str(version)) >= 1)

    def recognize(self, count: int, picture: "np.ndarray | bytes | None" = None) -> None:
        """Ask so often, and wait until all of it is in the metrics, which are updated once a second."""
        before = scrape(self.metrics)("numeral_images_total")
        rng = np.random.default_rng(0)
        for _ in range(count):
            self.client.recognize(rng.integers(0, 256, (28, 28), np.uint8) if picture is None else picture)
        eventually(lambda: scrape(self.metrics)("numeral_images_total") >= before + count)
