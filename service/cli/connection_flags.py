"""The flags that say how a command reaches a server, and what the client makes of them."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import ConfigError

__all__ = [
    "AddressFlag",
    "ClientCertFlag",
    "ClientKeyFlag",
    "ServerNameFlag",
    "TlsCaFlag",
    "TlsFlag",
    "TokenFlag",
    "address_or_default",
    "client_options",
]

AddressFlag = Annotated[
    str | None, typer.Option(help="HOST:PORT of the server [127.0.0.1 and NUMERAL_PORT, else 8500].")
]

TlsFlag = Annotated[bool, typer.Option("--tls", help="Use TLS, and trust the authorities that this machine trusts.")]

TlsCaFlag = Annotated[
    Path | None,
    typer.Option(
        envvar="NUMERAL_TLS_CA",
        show_envvar=False,
        help="Use TLS, and trust only the authorities in this PEM file [NUMERAL_TLS_CA].",
    ),
]

ClientCertFlag = Annotated[
    Path | None,
    typer.Option(
        envvar="NUMERAL_CLIENT_CERT",
        show_envvar=False,
        help="PEM file with the client's certificate, if the server asks for one [NUMERAL_CLIENT_CERT].",
    ),
]

ClientKeyFlag = Annotated[
    Path | None,
    typer.Option(
        envvar="NUMERAL_CLIENT_KEY",
        show_envvar=False,
        help="PEM file with the private key of that certificate [NUMERAL_CLIENT_KEY].",
    ),
]

ServerNameFlag = Annotated[
    str | None, typer.Option(help="The name in the server's certificate, if it differs from that of the address.")
]

TokenFlag = Annotated[
    str | None,
    typer.Option(
        envvar="NUMERAL_TOKEN",
        show_envvar=False,
        help="The token to send; set the variable instead, as other users can see flags [NUMERAL_TOKEN].",
    ),
]


def address_or_default(address: str | None) -> str:
    """The address of the server: the flag, or else this machine at the port of the settings.

    The settings themselves are not read, for speed: see `service.cli.commands.main`.
    """
    return address or f"127.0.0.1:{os.environ.get('NUMERAL_PORT') or 8500}"


def client_options(
    tls: bool,
    authorities: Path | None,
    certificate: Path | None,
    key: Path | None,
    server_name: str | None,
    token: str | None,
) -> dict[str, Any]:
    """The flags as the arguments of a client.

    Raises:
        ConfigError: Only one of certificate and key is given.
    """
    if (certificate is None) != (key is None):
        raise ConfigError("--client-cert and --client-key belong together; give both, or neither")
    return {
        "tls": authorities or tls,
        "certificate": (certificate, key) if certificate else None,
        "server_name": server_name,
        "token": token or None,
    }
