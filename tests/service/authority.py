"""A certificate authority for tests: real certificates, as files, for servers and clients."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOUR = timedelta(hours=1)


class Authority:
    """Signs certificates for 127.0.0.1."""

    def __init__(
        self, folder: Path, name: str = "authority", lasts: tuple[timedelta, timedelta] = (-HOUR, 24 * HOUR)
    ) -> None:
        """Make its own certificate; like those that it signs, it is valid from the one to the other time from now."""
        self._lasts = lasts
        folder.mkdir(parents=True, exist_ok=True)
        self._name, self._key = _named(name), ec.generate_private_key(ec.SECP256R1())
        self.certificate = folder / f"{name}.pem"
        own = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        self.certificate.write_bytes(_pem(own.sign(self._key, hashes.SHA256())))

    def issue(self, certificate: Path, key: Path, name: str = "server", host: str | None = None) -> bytes:
        """Write a certificate and its key, for a host, or for 127.0.0.1 and localhost.

        Returns:
            The certificate as PEM.
        """
        private = ec.generate_private_key(ec.SECP256R1())
        here = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")]
        places = x509.SubjectAlternativeName([x509.DNSName(host)] if host else here)
        signed = self._builder(_named(name), private).add_extension(places, False).sign(self._key, hashes.SHA256())
        key.write_bytes(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        certificate.write_bytes(_pem(signed))
        return _pem(signed)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + self._lasts[0])
            .not_valid_after(now + self._lasts[1])
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
