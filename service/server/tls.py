"""TLS, with certificates that are renewed without a restart; and the refusal to listen without it to a network."""

import ipaddress
import logging
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from core.errors import ConfigError
from service.settings import INSECURE_WORDS, Settings

__all__ = ["Certificates", "check", "credentials"]

_log = logging.getLogger(__name__)


def check(settings: Settings) -> None:
    """Refuse settings that would expose pictures, answers or tokens to a network.

    Raises:
        ConfigError: The server would listen beyond this machine without TLS, and the settings do not say that this is
            intended; or only one of certificate and key is set; or clients need a certificate, and the server has none.
    """
    if (settings.tls_cert is None) != (settings.tls_key is None):
        given, missing = ("cert", "key") if settings.tls_cert else ("key", "cert")
        raise ConfigError(f"NUMERAL_TLS_{given.upper()} is set without its {missing}; set --tls-{missing} too")
    if settings.tls_client_ca is not None and settings.tls_cert is None:
        raise ConfigError("NUMERAL_TLS_CLIENT_CA is set without a certificate of the server; set --tls-cert, --tls-key")
    if settings.tls_cert is None and settings.allow_insecure != INSECURE_WORDS and not _is_loopback(settings):
        raise ConfigError(
            f"cannot listen on {settings.address}: other machines can reach it, and without TLS everything sent can be "
            f"read on the way; set --tls-cert and --tls-key, or --allow-insecure {INSECURE_WORDS}"
        )
    if settings.tls_cert is not None and settings.tls_key is not None:
        Certificates(settings.tls_cert, settings.tls_key, settings.tls_client_ca).check()


def credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """The credentials to listen with; None for plain text.

    Raises:
        ConfigError: A file cannot be read, or key and certificate do not match.
    """
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return Certificates(settings.tls_cert, settings.tls_key, settings.tls_client_ca).credentials()


@dataclass(frozen=True)
class _Stamp:
    """Tells whether a file has changed. Renewals often replace the file or a link to it, which changes the inode."""

    modified: int
    inode: int
    size: int


class Certificates:
    """The files of a certificate, its key, and the authorities of clients; read again when one of them changes."""

    def __init__(self, certificate: str, key: str, client_ca: str | None) -> None:
        """Name the files, all PEM.

        Args:
            certificate: The certificate of the server, followed by the intermediate ones.
            key: Its private key, without a password.
            client_ca: The authorities that sign the certificates of clients; None asks clients for no certificate.
        """
        self._certificate, self._key, self._client_ca = Path(certificate), Path(key), client_ca and Path(client_ca)
        self._stamps: tuple[_Stamp | None, ...] = ()

    def credentials(self) -> grpc.ServerCredentials:
        """For `add_secure_port`; each handshake uses the newest files that are valid.

        Raises:
            ConfigError: The files are not valid now.
        """
        self._stamps = self._look()
        return grpc.dynamic_ssl_server_credentials(
            self._read(),
            self._renewed,  # type: ignore[arg-type]  # it may return None: gRPC's page says so, its type stubs do not
            require_client_authentication=self._client_ca is not None,
        )

    def _renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC at each handshake, from a thread of its own; None keeps the present certificate."""
        stamps = self._look()
        if stamps == self._stamps:
            return None
        self._stamps = stamps
        try:
            renewed = self._read()
        except ConfigError as error:
            _log.error("%s; the previous certificate remains in use", error)
            return None
        _log.info("certificate %s was renewed", self._certificate)
        return renewed

    def _look(self) -> tuple[_Stamp | None, ...]:
        return tuple(_stamp(file) for file in (self._certificate, self._key, self._client_ca) if file)

    def _read(self) -> grpc.ServerCertificateConfiguration:
        self.check()
        try:
            pair = self._key.read_bytes(), self._certificate.read_bytes()
            authorities = self._client_ca.read_bytes() if self._client_ca else None
        except OSError as error:
            raise ConfigError(f"TLS: {error}") from error
        return grpc.ssl_server_certificate_configuration([pair], authorities)

    def check(self) -> None:
        """Check whether the files can be used. OpenSSL reports what is wrong with them; gRPC would not.

        Raises:
            ConfigError: They cannot be used.
        """
        files = f"TLS: {self._certificate} with {self._key}"
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate, self._key, password=_no_password)
            if self._client_ca:
                files = f"TLS: {self._client_ca}"
                context.load_verify_locations(self._client_ca)
        except ssl.SSLError as error:
            raise ConfigError(f"{files}: {error.reason or error}; expected PEM files that belong together") from error
        except (OSError, ValueError) as error:
            raise ConfigError(f"{files}: {error}") from error


def _stamp(file: Path) -> _Stamp | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return _Stamp(found.st_mtime_ns, found.st_ino, found.st_size)


def _no_password() -> str:
    """Refuse keys with a password, which OpenSSL would otherwise ask for on the terminal."""
    raise ValueError("the key has a password; expected a key without one")


def _is_loopback(settings: Settings) -> bool:
    """Whether only this machine can reach the address, whatever its name."""
    try:
        found = socket.getaddrinfo(settings.host.strip("[]"), settings.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(f"cannot listen on {settings.address}: {error.strerror or error}") from error
    # An IPv6 address may be followed by % and the name of an interface.
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)
