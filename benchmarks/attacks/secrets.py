"""Certificates that expire, and tokens that are revoked."""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from threading import Event, Thread

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.attacks.arena import PICTURE, RECOGNIZE, Arena, open_channel, streaming, took, unary
from benchmarks.attacks.attack import Attack, Figure
from core.errors import ConfigError
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest, RecognizeStreamRequest

__all__ = ["ExpiredCertificate", "RevokedToken"]

CONNECTIONS = 5
HERE = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")])


class _Authority:
    """Signs certificates for this machine, all for the same key, as renewals often keep it."""

    def __init__(self) -> None:
        self._own, self._key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed("authority", self._own, 30, x509.BasicConstraints(ca=True, path_length=0))

    def issue(self, days: float) -> bytes:
        """A certificate, as PEM, that is valid until so many days from now."""
        return self._signed("server", self._key, days, HERE)

    def key(self) -> bytes:
        """The key of all certificates, as PEM."""
        none = serialization.NoEncryption()
        return self._key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none)

    def _signed(self, name: str, key: ec.EllipticCurvePrivateKey, days: float, says: x509.ExtensionType) -> bytes:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named("authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=90))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(says, critical=isinstance(says, x509.BasicConstraints))
        )
        return builder.sign(self._own, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass(frozen=True)
class Handshakes:
    """New connections that failed after an expired renewal, and whether a service started with an expired one."""

    failed: int
    started_expired: bool


class ExpiredCertificate(Attack[Handshakes]):
    """An expired certificate takes the place of a valid one: new connections go on, and none starts with it."""

    name = "expired-certificate"

    def act(self, arena: Arena) -> Handshakes:
        """Replace the certificate, connect, and start another service with the expired one."""
        models, authority = arena.models().url, _Authority()
        file, key = arena.secret("cert.pem", authority.issue(days=30)), arena.secret("key.pem", authority.key())
        flags = ("--tls-cert", file, "--tls-key", key)
        with arena.service(models, *flags) as service:
            took(lambda: _connects(service.port, authority.certificate), 20)
            arena.secret("cert.pem", authority.issue(days=-1))
            failed = sum(not _connects(service.port, authority.certificate) for _ in range(CONNECTIONS))
        try:
            with arena.service(models, *flags):
                return Handshakes(failed, started_expired=True)
        except ConfigError:
            return Handshakes(failed, started_expired=False)

    def judge(self, seen: Handshakes) -> tuple[Figure, ...]:
        """The connections that failed, and the start that should have."""
        return (
            Figure(f"of {CONNECTIONS} new connections after the renewal, failed", seen.failed, 0, "connections"),
            Figure("services that start with an expired certificate", seen.started_expired, 0, "services"),
        )


def _connects(port: int, authority: bytes) -> bool:
    """Whether a call on a new connection is answered."""
    own = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials(authority), own) as channel:
        try:
            unary(channel, RECOGNIZE)(RecognizeRequest(pixels=PICTURE).SerializeToString(), timeout=5)
        except grpc.RpcError:
            return False
        return True


@dataclass(frozen=True)
class Ending:
    """How an open stream ended after its token was revoked: after how many seconds, and with which status."""

    seconds: float
    status: str


class RevokedToken(Attack[Ending]):
    """The token of an open stream is revoked: the stream ends as UNAUTHENTICATED within 15 s."""

    name = "revoked-token"

    def act(self, arena: Arena) -> Ending:
        """Open a stream, revoke its token, and go on sending."""
        tokens, over = arena.secret("tokens", b"predict:the-token-to-revoke\n"), Event()

        def pictures() -> Iterator[bytes]:
            while not over.wait(0.1):
                yield RecognizeStreamRequest(request=RecognizeRequest(pixels=PICTURE)).SerializeToString()

        with (
            arena.service(arena.models().url, "--tokens-file", tokens) as service,
            open_channel(service.port) as channel,
        ):
            metadata = [("authorization", "Bearer the-token-to-revoke")]
            stream = streaming(channel, "/numeral.v1.Recognizer/RecognizeStream")(pictures(), metadata=metadata)
            next(stream)
            arena.secret("tokens", b"predict:another-token-after-it\n")

            def read() -> None:  # a client learns of the end of its stream once it has read all answers
                with suppress(grpc.RpcError):
                    deque(stream, maxlen=0)
                over.set()

            reading = Thread(target=read)
            reading.start()
            seconds = took(over.is_set, 25)
            status = stream.code().name if over.is_set() else "open"
            over.set()
            stream.cancel()
            reading.join()
            return Ending(seconds, status)

    def judge(self, seen: Ending) -> tuple[Figure, ...]:
        """How long the stream lived on."""
        return (
            Figure(f"the stream ({seen.status}) ended after", seen.seconds, 15.0, "s"),
            Figure("streams that ended otherwise", seen.status != "UNAUTHENTICATED", 0, "streams"),
        )
