"""What the repository of a service holds, as plain objects: its versions, what is served and why, moves of aliases."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from protos.numeral.v1 import recognizer_pb2 as pb
from service.client.arguments import number_within, text_of, version_text

__all__ = ["Move", "MovePages", "VersionPages", "VersionSummary", "Versions", "document_request"]

LARGEST_PAGE = 1000
"""Entries that the server sends at once, at most."""

MOST = 10**9
"""There are no more versions or moves than that: to ask for so many asks for all."""

R = TypeVar("R")


@dataclass(frozen=True)
class VersionSummary:
    """One version of the model, loaded or not.

    Attributes:
        version: Its name, e.g. "3" or "pretrained".
        created: When it was published, in UTC; None if there is `trouble`.
        recipe: The recipe that it was trained with; "" if there is `trouble`.
        parameters: The number of its parameters; 0 if there is `trouble`.
        test_accuracy: The share of the test images that it reads correctly, 0 to 1; 0 if there is `trouble`.
        validation_accuracy: The same of the validation images.
        weights_sha256: The sha256 of its weights file, in hexadecimal; "" if there is `trouble`.
        aliases: The aliases that name it now, e.g. "champion".
        state: "READY" if it answers calls, else "LOADING", "UNLOADING" or "UNAVAILABLE".
        reason: Why it is not ready; "" if it is.
        verdict: What was decided about its promotion when it was published, in a sentence; "" if nothing was.
        trouble: Why its description cannot be read; "" if it can.
    """

    version: str
    created: datetime | None
    recipe: str
    parameters: int
    test_accuracy: float
    validation_accuracy: float
    weights_sha256: str
    aliases: tuple[str, ...]
    state: str
    reason: str
    verdict: str
    trouble: str


@dataclass(frozen=True)
class Versions:
    """The versions of a repository, and which of them is served.

    Attributes:
        versions: The newest first; at the end the one that ships with Numeral, if the server has it.
        serving: The version that answers calls that name none; "" if none does.
        why: Why it is that one, in a sentence for people.
        policy: The policy of the server, e.g. "champion" or "pinned:3".
        loaded_by_hand: The versions that an administrator has loaded beside what the settings ask for.
        pinned: The version that an administrator has pinned; "" if none is.
        more: Whether there are earlier versions than those that were asked for.
    """

    versions: tuple[VersionSummary, ...]
    serving: str
    why: str
    policy: str
    loaded_by_hand: tuple[str, ...]
    pinned: str
    more: bool = False


@dataclass(frozen=True)
class Move:
    """One move of an alias.

    Attributes:
        number: The first move of an alias is 1.
        version: The version that the alias names since then.
        previous: The version that it named before; "" if there was none.
        at: When it was moved, in UTC.
        by: Who or what moved it.
        why: Why, in words.
    """

    number: int
    version: str
    previous: str
    at: datetime
    by: str
    why: str


class VersionPages:
    """The pages of a list of versions: send each of `requests` and pass its response to `add`, until they end."""

    def __init__(self, limit: int) -> None:
        """Begin.

        Args:
            limit: The most versions.

        Raises:
            ArgumentError: It is no number, or below 1.
        """
        self._left = number_within(limit, "limit", 1, MOST)
        self._first: pb.ListVersionsResponse | None = None
        self._versions: list[VersionSummary] = []
        self._next = ""

    def requests(self) -> Iterator[pb.ListVersionsRequest]:
        """Yields the request for each page."""
        while self._left and (self._next or self._first is None):
            yield pb.ListVersionsRequest(page_size=min(self._left, LARGEST_PAGE), page=self._next)

    def add(self, response: pb.ListVersionsResponse) -> None:
        """Take the response to the last request."""
        self._first = self._first or response
        self._versions += map(_summary, response.versions)
        self._left -= min(self._left, LARGEST_PAGE)
        self._next = response.next_page

    def result(self) -> Versions:
        """All pages; what is served is that of the first one."""
        first = self._first or pb.ListVersionsResponse()
        return Versions(
            versions=tuple(self._versions),
            serving=first.serving,
            why=first.why,
            policy=first.policy,
            loaded_by_hand=tuple(first.loaded_by_hand),
            pinned=first.pinned,
            more=bool(self._next),
        )


class MovePages:
    """The same for the moves of an alias."""

    def __init__(self, alias: str, limit: int) -> None:
        """Begin.

        Args:
            alias: Its name.
            limit: The most moves.

        Raises:
            ArgumentError: One of the two is impossible.
        """
        self._alias, self._left = text_of(alias, "alias"), number_within(limit, "limit", 1, MOST)
        self._moves: list[Move] = []
        self._next: str | None = None

    def requests(self) -> Iterator[pb.ListMovesRequest]:
        """Yields the request for each page."""
        while self._left and self._next != "":
            size = min(self._left, LARGEST_PAGE)
            yield pb.ListMovesRequest(alias=self._alias, page_size=size, page=self._next or "")

    def add(self, response: pb.ListMovesResponse) -> None:
        """Take the response to the last request."""
        self._moves += map(_move, response.moves)
        self._left -= min(self._left, LARGEST_PAGE)
        self._next = response.next_page

    def result(self) -> list[Move]:
        """All pages."""
        return self._moves


def document_request(name: str, version: str | int) -> pb.GetDocumentRequest:
    """The request for a document."""
    return pb.GetDocumentRequest(name=text_of(name, "name"), model_version=version_text(version))


def _summary(version: pb.Version) -> VersionSummary:
    return VersionSummary(
        version=version.model_version,
        created=version.created.ToDatetime(UTC) if version.HasField("created") else None,
        recipe=version.recipe,
        parameters=version.parameters,
        test_accuracy=version.test_accuracy,
        validation_accuracy=version.validation_accuracy,
        weights_sha256=version.weights_sha256,
        aliases=tuple(version.aliases),
        state=version.state,
        reason=version.reason,
        verdict=version.verdict,
        trouble=version.trouble,
    )


def _move(move: pb.Move) -> Move:
    return Move(move.number, move.version, move.previous, move.at.ToDatetime(UTC), move.by, move.why)
