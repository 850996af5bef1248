"""A room of bounded size, of which no client takes so much that others find none."""

from typing import Literal

__all__ = ["Room"]

GENEROSITY = 4
"""A client may hold this many times what is free: 80% of the room if it is alone, and 44% each if there are two."""


class Room:
    """Counts what each client has waiting. Belongs to one event loop.

    How much one client may hold depends on what is free (dynamic thresholds: Choudhury and Hahne, 1998): the fuller the
    room, the less. So some of it always remains for a client that comes anew.
    """

    __slots__ = ("_held", "most", "taken")

    def __init__(self, most: int) -> None:
        """Everything is free yet.

        Args:
            most: The size of the room. Beyond that, a client that comes to an empty room may bring more.
        """
        self.most = most
        self.taken = 0
        self._held: dict[str, int] = {}

    def lacks(self, client: str, amount: int) -> Literal["queue", "share"] | None:
        """Why there is no room for a client: it is full, or the client holds its share. None if there is room."""
        if not self.taken:
            return None
        free = self.most - self.taken - amount
        if free < 0:
            return "queue"
        held = self.share(client)
        return "share" if held and held + amount > GENEROSITY * free else None

    def share(self, client: str) -> int:
        """What a client holds."""
        return self._held.get(client, 0)

    def enter(self, client: str, amount: int) -> None:
        """Take room."""
        self.taken += amount
        self._held[client] = self._held.get(client, 0) + amount

    def leave(self, client: str, amount: int) -> None:
        """Give it back."""
        self.taken -= amount
        if rest := self._held.get(client, 0) - amount:
            self._held[client] = rest
        else:
            self._held.pop(client, None)
