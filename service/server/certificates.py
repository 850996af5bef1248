"""The server's certificate with its chain, its key, and the authorities of clients: what they say, if it is sound.

gRPC reports no reason when it cannot use a certificate, and none when clients cannot: the handshake fails. So
everything that would make it fail is checked here, before gRPC gets the certificate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, PublicKeyAlgorithmOID

from core.errors import ConfigError
from service.server import pem
from service.texts import quoted

__all__ = ["Authorities", "Identity", "configuration"]

CURVES = (ec.SECP256R1, ec.SECP384R1)
"""The curves of the keys with which gRPC's TLS can sign. Handshakes with Ed25519 or P-521 fail (tried with 1.85)."""

SHORTEST_RSA_BITS = 2048
"""Clients refuse shorter keys."""

_SERVER_PURPOSES = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


@dataclass(frozen=True)
class Identity:
    """What the server shows to its clients.

    Attributes:
        chain: Its certificate, followed by that of its issuer, and so on.
        key: The private key of the first.
    """

    chain: tuple[x509.Certificate, ...]
    key: PrivateKeyTypes

    @classmethod
    def parse(cls, chain: tuple[bytes, str], key: tuple[bytes, str]) -> "Identity":
        """Read both files, and check that clients will accept what they hold.

        Args:
            chain: The contents of the file with the certificates, and its place, for messages.
            key: The same of the file with the key.

        Raises:
            ConfigError: They will not.
        """
        place = chain[1]
        found = cls(pem.certificates(*chain), pem.private_key(*key))
        with pem.explained(place):
            found._check_key(place, key[1])
            _check_chain(found.chain, place)
            _check_purpose(found.chain[0], place)
            for number, certificate in enumerate(found.chain, 1):
                _check_validity(certificate, place if number == 1 else f"{place}: certificate {number}")
        return found

    @property
    def begins(self) -> datetime:
        """When all of the chain has become valid."""
        return max(certificate.not_valid_before_utc for certificate in self.chain)

    @property
    def ends(self) -> datetime:
        """When the first certificate of the chain ceases to be valid."""
        return min(certificate.not_valid_after_utc for certificate in self.chain)

    @property
    def names(self) -> frozenset[str]:
        """The names and addresses that the certificate is for. Those in its subject do not count for most clients."""
        try:
            found = self.chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return frozenset()
        addresses = map(str, found.get_values_for_type(x509.IPAddress))
        return frozenset([*found.get_values_for_type(x509.DNSName), *addresses])

    def lost_in(self, renewed: "Identity") -> list[str]:
        """Those of the names for which another one is not, sorted; its wildcards count."""
        others = renewed.names
        return sorted(name for name in self.names - others if f"*.{name.partition('.')[2]}" not in others)

    def pair(self) -> tuple[bytes, bytes]:
        """Key and chain for gRPC, in their plainest form: exactly what was checked, whatever else the files hold."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key, _text(self.chain)

    def _check_key(self, place: str, key_place: str) -> None:
        public = self.key.public_key()
        match public:
            case rsa.RSAPublicKey() if public.key_size < SHORTEST_RSA_BITS:
                found = f"RSA with {public.key_size} bits"
            case rsa.RSAPublicKey() if self.chain[0].public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
                found = "RSASSA-PSS"
            case ec.EllipticCurvePublicKey() if not isinstance(public.curve, CURVES):
                found = public.curve.name
            case rsa.RSAPublicKey() | ec.EllipticCurvePublicKey():
                found = ""
            case _:
                found = type(public).__name__.removesuffix("PublicKey")
        if found:
            expected = f"RSA with at least {SHORTEST_RSA_BITS} bits, or ECDSA on P-256 or P-384"
            raise ConfigError(f"{key_place}: the key is {found}, with which handshakes fail; expected {expected}")
        owners = [n for n, certificate in enumerate(self.chain, 1) if certificate.public_key() == public]
        if not owners:
            raise ConfigError(
                f"{place}: its key is another than that in {key_place}; expected files that belong together"
            )
        if owners[0] != 1:
            raise ConfigError(f"{place}: the server's certificate is number {owners[0]} in it; expected it first")


@dataclass(frozen=True)
class Authorities:
    """Those whose signature makes the server accept the certificate of a client.

    Attributes:
        certificates: Their certificates, in any order.
    """

    certificates: tuple[x509.Certificate, ...]

    @classmethod
    def parse(cls, contents: bytes, place: str) -> "Authorities":
        """Read a file, and check that it holds an authority that is valid.

        Raises:
            ConfigError: It does not, so that no client could be accepted.
        """
        found = cls(pem.certificates(contents, place))
        with pem.explained(place):
            able = [each for each in found.certificates if _signs_others(each) or each.subject == each.issuer]
            if not able:
                subject = quoted(found.certificates[0].subject.rfc4514_string())
                raise ConfigError(f"{place}: holds no authority: {subject} may not sign certificates (CA:FALSE)")
            if not any(_is_valid(each) for each in able):
                _check_validity(able[0], place)
        return found

    def first_to_end(self, now: datetime) -> x509.Certificate:
        """The one that ends first, of those that have not ended; after all have, the last of them."""
        by_end = sorted(self.certificates, key=lambda each: each.not_valid_after_utc)
        return next((each for each in by_end if each.not_valid_after_utc > now), by_end[-1])

    def text(self) -> bytes:
        """PEM for gRPC, in its plainest form."""
        return _text(self.certificates)


def configuration(identity: Identity, authorities: Authorities | None) -> grpc.ServerCertificateConfiguration:
    """Both in the form that gRPC needs."""
    return grpc.ssl_server_certificate_configuration([identity.pair()], authorities.text() if authorities else None)


def _check_chain(chain: Sequence[x509.Certificate], place: str) -> None:
    """Check that each certificate was signed by the next. The last one's issuer is for the clients to know."""
    for number, (signed, issuer) in enumerate(pairwise(chain), 1):
        subject = quoted(issuer.subject.rfc4514_string())
        order = "expected the server's certificate first, and after each certificate that of its issuer"
        try:
            signed.verify_directly_issued_by(issuer)
        except Exception as error:
            raise ConfigError(
                f"{place}: certificate {number + 1} in it, of {subject}, has not signed certificate {number}; {order}"
            ) from error
        if not _signs_others(issuer):
            raise ConfigError(f"{place}: certificate {number + 1} in it, of {subject}, may not sign others (CA:FALSE)")


def _check_purpose(certificate: x509.Certificate, place: str) -> None:
    """Check that clients accept the certificate as that of a server; without a purpose, it may serve any."""
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.ExtendedKeyUsage) and not _SERVER_PURPOSES & set(value):
            raise ConfigError(
                f"{place}: is not for servers (extended key usage); expected serverAuth among its purposes"
            )
        if isinstance(value, x509.KeyUsage) and not value.digital_signature:
            raise ConfigError(
                f"{place}: may not sign handshakes (key usage); expected digitalSignature among its usages"
            )


def _check_validity(certificate: x509.Certificate, place: str) -> None:
    now = datetime.now(UTC)
    if now < certificate.not_valid_before_utc:
        begins = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC"
        raise ConfigError(f"{place}: is not valid before {begins}; check the clock of this machine, or wait")
    if now >= certificate.not_valid_after_utc:
        raise ConfigError(f"{place}: has expired, on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC; renew it")


def _is_valid(certificate: x509.Certificate) -> bool:
    return certificate.not_valid_before_utc <= datetime.now(UTC) < certificate.not_valid_after_utc


def _signs_others(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _text(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
