"""A DNS server for tests of clients: it knows one name, whose address may change."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ADDRESS, INTERNET, NO_SUCH_NAME = 1, 1, 3
"""Numbers of RFC 1035: a record of type A and of class IN, and the code of an answer about an unknown name."""


class Names:
    """Answers every question for an IPv4 address with `address`; None stands for "no such name".

    Attributes:
        address: The address that it gives from now on.
        port: Its port on 127.0.0.1.
        questions: The number of questions so far.
    """

    def __init__(self, address: str | None) -> None:
        self.address, self.questions = address, 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def answer_until_closed(self) -> None:
        while True:
            query, client = self._socket.recvfrom(512)
            if not query:
                return
            self.questions += 1
            self._socket.sendto(self._answer(query), client)

    def close(self) -> None:
        self._socket.sendto(b"", ("127.0.0.1", self.port))

    def _answer(self, query: bytes) -> bytes:
        end = query.index(0, 12) + 5  # behind the name, the type and the class
        [kind] = struct.unpack(">H", query[end - 4 : end - 2])
        address = self.address if kind == ADDRESS else None
        code = NO_SUCH_NAME if self.address is None else 0
        head = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, 1 if address else 0, 0, 0)
        if not address:
            return head + query[12:end]
        record = struct.pack(">HHHIH", 0xC00C, ADDRESS, INTERNET, 1, 4) + socket.inet_aton(address)
        return head + query[12:end] + record


@contextmanager
def names(address: str | None) -> Iterator[Names]:
    """Run one while the context lasts."""
    server = Names(address)
    thread = threading.Thread(target=server.answer_until_closed)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
