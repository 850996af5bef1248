"""A TLS handshake of the server with itself: does the port answer with a certificate that clients can accept?

It stands in for a count of the handshakes that failed, which gRPC for Python does not offer: its channelz and its
OpenTelemetry plugin know a connection only after the handshake, and of a handshake that fails there is only a line on
standard error. (gRPC's proposal A118 adds such a metric to gRPC itself.)
"""

import logging
import socket
import ssl
from datetime import UTC, datetime

from cryptography import x509

from service.listening import endpoint
from service.observer import Observer
from service.telemetry.once import Once

__all__ = ["SelfCheck"]

TIMEOUT_SECONDS = 10.0
"""Seconds that the server may take for each step of the handshake, on the busiest machine."""

_ALL_ADDRESSES = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 — nothing is bound here
"""The addresses that stand for all addresses of this machine, and one of these that can be connected to."""

_log = logging.getLogger(__name__)


class SelfCheck:
    """Checks one port, and reports each result."""

    def __init__(self, host: str, port: int, observer: Observer) -> None:
        """Check nothing yet.

        Args:
            host: The address that the server listens on.
            port: Its port.
            observer: Notified of each check.
        """
        host = host.strip("[]")
        self._address = _ALL_ADDRESSES.get(host, host), port
        self._observer = observer
        self._once = Once(_log)

    def run(self) -> bool:
        """Check now; takes some milliseconds, and waits for a server that does not answer.

        Returns:
            Whether the server showed a certificate that is valid now, and proved that it has the key.
        """
        try:
            shown = _shown(self._address)
            finding = _finding(shown)
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            finding = f"fails: {error}"
        place = endpoint(*self._address)
        self._observer.self_checked(place, not finding)
        if finding:
            self._once.say(finding, logging.ERROR, f"a TLS handshake of this service with itself at {place} {finding}")
        else:
            self._once.all_resolved()
        return not finding


def _shown(address: tuple[str, int]) -> x509.Certificate:
    """The certificate that a server shows.

    The handshake is not finished: in TLS 1.3 the server has shown and proved everything before the client's last
    message. So it needs no certificate of a client, even if the server asks for one, and leaves no line in any log.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it asks for what is shown, not for trust
    context.set_alpn_protocols(["h2"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing)
    with socket.create_connection(address, TIMEOUT_SECONDS) as connection:
        while True:
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                received = connection.recv(65536)
                if not received:
                    raise ConnectionError("the server closed the connection") from None
                incoming.write(received)
    shown = session.getpeercert(binary_form=True)
    if shown is None:
        raise ConnectionError("the server showed no certificate")
    return x509.load_der_x509_certificate(shown)


def _finding(shown: x509.Certificate) -> str:
    """Why clients cannot accept a certificate now; "" if they can."""
    if datetime.now(UTC) >= shown.not_valid_after_utc:
        return f"shows a certificate that expired on {shown.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC; renew it"
    if datetime.now(UTC) < shown.not_valid_before_utc:
        return f"shows a certificate that is not valid before {shown.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC"
    return ""
