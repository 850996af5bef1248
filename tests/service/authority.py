"""A certificate authority for tests: real certificates, as files, for servers and clients."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import NameOID

from tests.whole_files import replace

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Authority:
    """Signs certificates for 127.0.0.1."""

    def __init__(
        self, folder: Path, name: str = "authority", *, above: "Authority | None" = None, ends: timedelta = DAY
    ) -> None:
        """Create one that signs itself, or that the authority `above` has signed; it `ends` so long after now."""
        folder.mkdir(parents=True, exist_ok=True)
        self._name, self._key = _named(name), ec.generate_private_key(ec.SECP256R1())
        self.certificate = folder / f"{name}.pem"
        issuer = above or self
        own = issuer._builder(self._name, self._key, min(-HOUR, ends - DAY), ends)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        self.certificate.write_bytes(_pem(own.sign(issuer._key, hashes.SHA256())))

    def issue(
        self,
        certificate: Path,
        key: Path,
        name: str = "server",
        host: str | None = None,
        *,
        begins: timedelta = -HOUR,
        ends: timedelta = DAY,
        private: CertificateIssuerPrivateKeyTypes | None = None,
        extensions: Iterable[x509.ExtensionType] = (),
    ) -> bytes:
        """Write a certificate and its key, for a host, or for 127.0.0.1 and localhost.

        Args:
            certificate: The file of the certificate.
            key: The file of its key.
            name: Of whom.
            host: For which host.
            begins: When it begins to be valid, from now.
            ends: When it ends, from now.
            private: Its key; None for a new one.
            extensions: What it says besides.

        Returns:
            The certificate as PEM.
        """
        private = private or ec.generate_private_key(ec.SECP256R1())
        here = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")]
        places = x509.SubjectAlternativeName([x509.DNSName(host)] if host else here)
        builder = self._builder(_named(name), private, begins, ends).add_extension(places, False)
        for extension in extensions:
            builder = builder.add_extension(extension, False)
        signed = builder.sign(self._key, hashes.SHA256())
        write_key(key, private)
        replace(certificate, _pem(signed))
        return _pem(signed)

    def _builder(
        self, subject: x509.Name, key: CertificateIssuerPrivateKeyTypes, begins: timedelta, ends: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
        )


def write_key(file: Path, private: CertificateIssuerPrivateKeyTypes, password: bytes | None = None) -> None:
    """Write a key that only its owner can read."""
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    replace(file, private.private_bytes(*form, protection), mode=0o600)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
