"""TLS, with certificates that are renewed without a restart; and the refusal to listen without it to a network."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import grpc

from core.errors import ConfigError
from service import secret_file
from service.listening import refuse_exposure
from service.observer import Observer
from service.reloaded import Reloaded
from service.server.certificates import Authorities, Identity, configuration
from service.server.expiry import Expiry
from service.settings import Settings
from service.texts import quoted

__all__ = ["Certificates", "certificates", "check"]

MOST_NAMES = 5
"""How many of the names that a renewed certificate lacks are logged."""

_log = logging.getLogger(__name__)


def check(settings: Settings) -> None:
    """Refuse settings that would expose pictures, answers or tokens to a network.

    Raises:
        ConfigError: The server would listen beyond this machine without TLS, and the settings do not say that this is
            intended; or only one of certificate and key is set; or clients need a certificate, and the server has none;
            or a file cannot be used.
    """
    if (settings.tls_cert is None) != (settings.tls_key is None):
        given, missing = ("cert", "key") if settings.tls_cert else ("key", "cert")
        raise ConfigError(f"NUMERAL_TLS_{given.upper()} is set without its {missing}; set --tls-{missing} too")
    if settings.tls_client_ca is not None and settings.tls_cert is None:
        raise ConfigError("NUMERAL_TLS_CLIENT_CA is set without a certificate of the server; set --tls-cert, --tls-key")
    if settings.tls_cert is None:
        refuse_exposure(settings.host, settings.port, settings.allow_insecure)
    if files := _files(settings):
        files.parse(files.read())


def certificates(settings: Settings, observer: Observer) -> "Certificates | None":
    """Those to listen with; None for plain text.

    Args:
        settings: As `service.settings.read` gives them.
        observer: Notified of what happens to them.

    Raises:
        ConfigError: A file cannot be used.
    """
    files = _files(settings)
    return Certificates(files, observer) if files else None


class _Usable(NamedTuple):
    """What the files say: checked, used and renewed together.

    Attributes:
        identity: What the server shows.
        authorities: Those of clients; None asks clients for no certificate.
    """

    identity: Identity
    authorities: Authorities | None


@dataclass(frozen=True)
class _Files:
    """The files, all PEM.

    Attributes:
        certificate: The certificate of the server, followed by the intermediate ones.
        key: Its private key, without a password.
        client_ca: The authorities that sign the certificates of clients; None asks clients for no certificate.
    """

    certificate: Path
    key: Path
    client_ca: Path | None

    @property
    def places(self) -> tuple[str, str, str]:
        """What each file holds and its name, for messages."""
        return f"TLS certificate {self.certificate}", f"TLS key {self.key}", f"TLS client authorities {self.client_ca}"

    def read(self) -> tuple[bytes, bytes, bytes | None]:
        """Their contents. Raises ConfigError."""
        certificate, key, client_ca = self.places
        return (
            secret_file.read(self.certificate, certificate, private=False),
            secret_file.read(self.key, key, private=False),
            secret_file.read(self.client_ca, client_ca, private=False) if self.client_ca else None,
        )

    def parse(self, contents: tuple[bytes, bytes, bytes | None]) -> _Usable:
        """What their contents say. Raises ConfigError."""
        certificate, key, client_ca = self.places
        return _Usable(
            Identity.parse((contents[0], certificate), (contents[1], key)),
            Authorities.parse(contents[2], client_ca) if contents[2] else None,
        )


class Certificates:
    """What the files say now, and after each renewal."""

    def __init__(self, files: _Files, observer: Observer) -> None:
        """Read and check the files.

        Args:
            files: The files.
            observer: Notified of handshakes, of looks at the files, and how long the certificates are valid.

        Raises:
            ConfigError: A file cannot be used.
        """
        self._place, key, self._authorities_place = files.places
        self._mutual = files.client_ca is not None
        self._observer = observer
        self._expiry = Expiry()
        self._newest = Reloaded(
            files.read,
            files.parse,
            log=_log,
            consequence="the previous certificate remains in use",
            report=lambda usable: observer.reloaded("certificate", usable),
        )
        self._given = self._newest.value  # to gRPC
        if not self.in_use.names:
            _log.warning("%s: names no host (subject alternative name); most clients refuse it", self._place)
        if secret_file.exposed(files.key):  # no error, because container platforms mount secrets so
            _log.warning("%s: any user of this machine can read or change it; run: chmod o= %s", key, files.key)
        self._examine()

    @property
    def in_use(self) -> Identity:
        """What handshakes show from now on."""
        return self._newest.value.identity

    def credentials(self) -> grpc.ServerCredentials:
        """For `add_secure_port`; each handshake uses the newest files that are valid."""
        return grpc.dynamic_ssl_server_credentials(
            configuration(*self._given),
            self._renewed,  # type: ignore[arg-type]  # it may return None: gRPC's page says so, its type stubs do not
            require_client_authentication=self._mutual,
        )

    def look(self) -> None:
        """Look whether the files have changed, and how long what is in use is valid. By one thread at a time."""
        before = self._newest.value
        if self._newest.look():
            self._tell(before, self._newest.value)
        self._examine()

    def _tell(self, before: _Usable, now: _Usable) -> None:
        """Log what was renewed."""
        if now.identity.chain != before.identity.chain:
            until = f"{now.identity.ends:%Y-%m-%d %H:%M:%S} UTC"
            _log.info("%s was renewed; it is valid until %s", self._place, until)
        if now.authorities and now.authorities != before.authorities:
            _log.info("%s were renewed; there are %d", self._authorities_place, len(now.authorities.certificates))
        if lost := before.identity.lost_in(now.identity):
            names = ", ".join(map(quoted, lost[:MOST_NAMES]))
            _log.warning("%s: the renewed one is no longer for %s; clients that use these fail", self._place, names)

    def _renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC at each handshake, from a thread of its own; None keeps the present certificate."""
        self._observer.handshake()
        newest = self._newest.value
        if newest is self._given:
            return None
        self._given = newest
        return configuration(*newest)

    def _examine(self) -> None:
        """Log and report how long what is in use is valid."""
        (identity, authorities), now = self._newest.value, datetime.now(UTC)
        self._expiry.look(self._place, identity.begins, identity.ends, now)
        self._observer.certificate("certificate", identity.begins, identity.ends)
        if authorities is None:
            return
        for each in authorities.certificates:
            place = f"{self._authorities_place}: {quoted(each.subject.rfc4514_string())}"
            self._expiry.look(place, each.not_valid_before_utc, each.not_valid_after_utc, now)
        first = authorities.first_to_end(now)
        self._observer.certificate("client_ca", first.not_valid_before_utc, first.not_valid_after_utc)


def _files(settings: Settings) -> _Files | None:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    client_ca = Path(settings.tls_client_ca) if settings.tls_client_ca else None
    return _Files(Path(settings.tls_cert), Path(settings.tls_key), client_ca)
