"""A queue that is fair to clients: none waits for what another has queued, however much that is."""

from collections import OrderedDict
from typing import Generic, NamedTuple, TypeVar

__all__ = ["FairQueue", "Forecast"]

T = TypeVar("T")

MOST_REMEMBERED = 4096
"""Clients of which nothing waits, but whose past is remembered while others wait."""


class Forecast(NamedTuple):
    """The work that is served before an item that would be queued now.

    Attributes:
        begun: Seconds of work before it is begun …
        done: … and until it is done, itself included.
        own: How much of the work before it is begun is for the same client.
    """

    begun: float
    done: float
    own: float


class _Waiting(Generic[T]):
    """What one client has waiting."""

    __slots__ = ("costs", "sum", "tag")

    def __init__(self, tag: float) -> None:
        self.tag = tag  # the virtual time at which its first item begins
        self.costs: OrderedDict[T, float] = OrderedDict()  # what each item costs, in the order of their arrival
        self.sum = 0.0


class FairQueue(Generic[T]):
    """Start-time fair queueing (Goyal, Vin and Cheng, 1996): clients take turns, in proportion to what items cost.

    Each client has a tag: the work that was done for it, in seconds. The next item is of the client with the lowest
    tag, which then grows by what the item costs. A client that comes anew begins with the tag of the item that was
    begun last, so that it neither overtakes those that wait nor waits for what they have queued: before its first item
    is begun, no other client begins more than one.

    Costs are estimates, but what is charged in the end is the time that an item has really taken: who sends pictures
    that take longer than their headers say waits longer for its next ones. Not to be used by two threads at once.
    """

    def __init__(self) -> None:
        """Nothing is waiting yet."""
        self._waiting: dict[str, _Waiting[T]] = {}
        self._tags: OrderedDict[str, float] = OrderedDict()  # of the clients that were served last and do not wait
        self._now = 0.0  # the tag of the item that was begun last
        self._begun = 0

    def __len__(self) -> int:
        """The number of items that are waiting."""
        return sum(len(each.costs) for each in self._waiting.values())

    @property
    def seconds(self) -> float:
        """The work that is waiting."""
        return sum(each.sum for each in self._waiting.values())

    def push(self, client: str, item: T, cost: float) -> None:
        """Add an item, behind the others of the same client.

        Args:
            client: Whose it is.
            item: The item; hashable, and not waiting already.
            cost: The work that it takes, in seconds.
        """
        waiting = self._waiting.get(client)
        if waiting is None:
            waiting = self._waiting[client] = _Waiting(max(self._now, self._tags.pop(client, 0.0)))
        waiting.costs[item] = cost
        waiting.sum += cost

    def pop(self) -> tuple[str, T, float] | None:
        """Begin the next item: its client, the item, and its cost. None if nothing is waiting."""
        if not self._waiting:
            return None
        client = (
            min(self._waiting, key=lambda name: self._waiting[name].tag)
            if len(self._waiting) > 1
            else next(iter(self._waiting))
        )
        waiting = self._waiting[client]
        item, cost = waiting.costs.popitem(last=False)
        self._now = max(self._now, waiting.tag)
        waiting.tag += cost
        self._left(client, waiting, cost)
        self._begun += 1
        return client, item, cost

    def remove(self, client: str, item: T) -> bool:
        """Take out an item that is no longer wanted; False if it is not waiting."""
        waiting = self._waiting.get(client)
        if waiting is None or item not in waiting.costs:
            return False
        self._left(client, waiting, waiting.costs.pop(item))
        return True

    def finish(self, client: str, excess: float) -> None:
        """Take note that an item is done.

        Args:
            client: Whose it was.
            excess: The seconds that it took beyond its cost; negative if it took less.
        """
        self._begun -= 1
        if waiting := self._waiting.get(client):
            waiting.tag += excess
        elif client in self._tags:
            self._tags[client] += excess
        if not self._begun and not self._waiting:  # the past is settled: all begin anew
            self._tags.clear()
            self._now = 0.0

    def forecast(self, client: str, cost: float) -> Forecast:
        """The work before an item that would be queued now, if no further client came.

        Args:
            client: Whose it would be.
            cost: The work that it takes, or that several items of this client take together, in seconds.
        """
        own = self._waiting.get(client)
        start = own.tag + own.sum if own else max(self._now, self._tags.get(client, 0.0))
        begun = done = before = own.sum if own else 0.0
        for each in self._waiting.values():
            if each is not own:  # of the others, what has a lower tag
                begun += min(each.sum, max(0.0, start - each.tag))
                done += min(each.sum, max(0.0, start + cost - each.tag))
        return Forecast(begun, done + cost, before)

    def _left(self, client: str, waiting: _Waiting[T], cost: float) -> None:
        """Settle what remains once an item has left the queue, begun or not."""
        waiting.sum -= cost
        if waiting.costs:
            return
        del self._waiting[client]
        self._tags[client] = waiting.tag
        if len(self._tags) > MOST_REMEMBERED:
            self._tags.popitem(last=False)
