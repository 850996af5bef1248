"""How often anybody may try to sign in."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from service.bucket import TokenBucket
from service.web.security.peers import MOST_PEERS, peer_of

__all__ = ["Attempts"]

PER_PEER = 5
"""Attempts per minute from one address, and at once."""

IN_ALL = 60
"""Attempts per minute from all addresses together, and at once."""

_MINUTE = 60.0


class Attempts:
    """Limits the attempts to sign in, for each address and for all together."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Nobody has tried yet.

        Args:
            clock: Gives the time, in seconds.
        """
        self._clock = clock
        self._in_all = TokenBucket(IN_ALL / _MINUTE, IN_ALL, clock)
        self._peers: OrderedDict[str, TokenBucket] = OrderedDict()

    def count(self, client: tuple[str, int] | None) -> float:
        """Count an attempt.

        Args:
            client: The address and the port that it comes from.

        Returns:
            0 if it may be made; else the seconds until the next one may.
        """
        peer = peer_of(client) or "this machine"
        bucket = self._peers.get(peer)
        if bucket is None:
            while len(self._peers) >= MOST_PEERS:
                self._peers.popitem(last=False)
            bucket = self._peers[peer] = TokenBucket(PER_PEER / _MINUTE, PER_PEER, self._clock)
        self._peers.move_to_end(peer)
        # The limit for all is asked last: what one address tries in vain takes nothing from the others.
        return bucket.take() or self._in_all.take()
