"""PEM files: the certificates and the private key in them, or what they hold instead."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from core.errors import ConfigError
from service.texts import quoted

__all__ = ["certificates", "explained", "private_key"]

_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")

_DER = re.compile(rb"0[\x80-\x84]")
"""How a binary file begins: a sequence, with its length in the long form."""


def certificates(contents: bytes, place: str) -> tuple[x509.Certificate, ...]:
    """The certificates in a file, in its order; at least one.

    Args:
        contents: The contents of the file.
        place: What it is and its name, for messages.

    Raises:
        ConfigError: There is none, or one cannot be parsed.
    """
    kinds = _kinds(contents, place, "CERTIFICATE", "openssl x509 -inform der -in FILE")
    with explained(place):
        found = tuple(x509.load_pem_x509_certificates(contents))
    if len(found) != kinds.count("CERTIFICATE"):
        raise ConfigError(f"{place}: {kinds.count('CERTIFICATE')} certificates begin in it, but {len(found)} are whole")
    return found


def private_key(contents: bytes, place: str) -> PrivateKeyTypes:
    """The private key in a file.

    Args:
        contents: The contents of the file.
        place: What it is and its name, for messages.

    Raises:
        ConfigError: There is none, it has a password, or it cannot be parsed.
    """
    _kinds(contents, place, "PRIVATE KEY", "openssl pkey -inform der -in FILE")
    if b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in contents or b"Proc-Type: 4,ENCRYPTED" in contents:
        raise ConfigError(f"{place}: the key has a password; expected a key without one: openssl pkey -in FILE")
    with explained(place):
        return load_pem_private_key(contents, None)


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Raise ConfigError for whatever a damaged file makes of the block: many classes of errors, of several packages."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"{place}: cannot be parsed: {quoted(str(error))}; is it damaged?") from error


def _kinds(contents: bytes, place: str, wanted: str, convert: str) -> list[str]:
    """The kinds of the blocks in a file, which must include the one that is wanted."""
    kinds = [kind.decode() for kind in _BEGIN.findall(contents)]
    if any(kind.endswith(wanted) for kind in kinds):
        return kinds
    if kinds:
        raise ConfigError(f"{place}: holds {kinds[0].lower()}, expected {wanted.lower()}")
    if _DER.match(contents):
        raise ConfigError(f"{place}: is a binary file (DER or PKCS#12), expected PEM text; try: {convert}")
    raise ConfigError(f"{place}: holds no {wanted.lower()}, expected PEM text with -----BEGIN {wanted}-----")
