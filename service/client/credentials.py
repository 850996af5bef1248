"""The certificates of a client, read from their files and checked before gRPC gets them.

gRPC takes any bytes as a certificate, and fails at the first call with the words of its TLS library.
"""

import ssl
from os import PathLike, fspath
from pathlib import Path

import grpc

from core.errors import ConfigError
from service.client.pictures import LONGEST_NAME

__all__ = ["credentials"]


def credentials(tls: object, certificate: object) -> grpc.ChannelCredentials:
    """What a TLS connection needs.

    Args:
        tls: True to trust the authorities that this machine trusts; or the path of a PEM file of authorities.
        certificate: The paths of the client's certificate and of its private key (PEM), or None.

    Raises:
        ConfigError: A file cannot be read or is not what it should be, or the key belongs to another certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authorities = chain = key = None
    if tls is not True:
        file = _path(tls, "tls", "True, False, or the path of a PEM file of authorities")
        authorities = _content(file)
        try:
            context.load_verify_locations(file)
        except (ssl.SSLError, ValueError):
            raise ConfigError(f"{file}: no certificate in it, expected a PEM file of authorities (BEGIN …)") from None
    if certificate is not None:
        wanted = "a pair of paths: the certificate and its private key"
        if not isinstance(certificate, tuple | list) or len(certificate) != 2:
            raise ConfigError(f"certificate is {type(certificate).__name__}, expected {wanted}")
        files = [_path(each, "certificate", wanted) for each in certificate]
        chain, key = map(_content, files)
        try:
            # With a password, OpenSSL does not ask at the terminal for that of an encrypted key, which gRPC cannot use.
            context.load_cert_chain(files[0], files[1], password="")
        except (ssl.SSLError, ValueError):
            raise ConfigError(
                f"{files[0]} and {files[1]} are no certificate and private key that belong together; both must be PEM "
                "files, and the key without a password"
            ) from None
    return grpc.ssl_channel_credentials(authorities, key, chain)


def _path(value: object, name: str, expected: str) -> str:
    path = fspath(value) if isinstance(value, str | PathLike) else value
    if isinstance(path, str) and "-----BEGIN" in path:
        raise ConfigError(f"{name} is the text of a PEM file, expected {expected}")
    if isinstance(path, str) and path:
        return path
    raise ConfigError(f"{name} is {type(path).__name__}, expected {expected}")


def _content(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"cannot read the certificate or key {file[:LONGEST_NAME]}: {reason}") from error
