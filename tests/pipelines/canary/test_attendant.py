"""Looking from time to time: what is new is said once."""

import pytest

from core.errors import RepositoryError
from pipelines.canary import attendant as attending
from pipelines.canary.attendant import Attendant
from pipelines.canary.looked import Asked, Look


class Looker:
    """Has seen these, one after the other."""

    def __init__(self, *seen: Look | Exception) -> None:
        self.seen = list(seen)

    def look(self) -> Look:
        found = self.seen.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def said_of(monkeypatch: pytest.MonkeyPatch, *seen: Look | Exception) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(attending, "say", said.append)
    attendant = Attendant(Looker(*seen))  # type: ignore[arg-type]
    for _ in seen:
        attendant.look()
    return said


def waiting(pictures: int, trouble: str | None = None) -> Look:
    service = Asked(address="here", answered=True, trouble=trouble)
    return Look(outcome="waiting", words=f"{pictures} pictures", version=8, pictures=pictures, services=(service,))


def test_a_growing_count_is_no_news_and_a_trouble_is(monkeypatch: pytest.MonkeyPatch):
    said = said_of(monkeypatch, waiting(1), waiting(2), waiting(3, "a pin"), waiting(4, "a pin"), waiting(5))
    assert said == ["canary: 1 pictures", "canary: 3 pictures", "canary: 5 pictures"]


def test_without_a_canary_nothing_is_said(monkeypatch: pytest.MonkeyPatch):
    none = Look(outcome="none", words="no version is a canary")
    assert said_of(monkeypatch, none, waiting(1), none, waiting(1)) == ["canary: 1 pictures"] * 2


def test_an_outage_is_said_once_and_looked_past(monkeypatch: pytest.MonkeyPatch):
    away = RepositoryError("the disk is away")
    assert said_of(monkeypatch, away, away, waiting(1)) == [
        "canary: cannot be looked at, which is tried again: the disk is away",
        "canary: 1 pictures",
    ]
