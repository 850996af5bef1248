"""The command `pin`: has a running server answer by one version, or by its policy again."""

import json
from typing import Annotated

import typer

from core.errors import ConfigError
from service.cli.connection_flags import (
    AddressFlag,
    ClientCertFlag,
    ClientKeyFlag,
    ServerNameFlag,
    TlsCaFlag,
    TlsFlag,
    TokenFlag,
    address_or_default,
    client_options,
)

__all__ = ["pin"]


def pin(
    version: Annotated[
        str,
        typer.Argument(help="A version, or an alias, which is resolved now.", metavar="VERSION", show_default=False),
    ] = "",
    policy: Annotated[bool, typer.Option("--policy", help="Return to the policy of the server.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    address: AddressFlag = None,
    timeout: Annotated[float, typer.Option(help="Seconds in which the version is to be loaded.")] = 60.0,
    tls: TlsFlag = False,
    tls_ca: TlsCaFlag = None,
    client_cert: ClientCertFlag = None,
    client_key: ClientKeyFlag = None,
    server_name: ServerNameFlag = None,
    token: TokenFlag = None,
) -> None:
    """Have one version answer all calls that name none, whatever the policy of the server says, until it stops.

    Needs a token of the role admin if the server asks for tokens. Exit status 0 if it is so now, 1 if the version does
    not exist or cannot be served: then nothing has changed.
    """
    if bool(version) == policy:
        raise ConfigError("name a version to pin, or give --policy, and not both")
    from service.client import Recognizer

    address = address_or_default(address)
    options = client_options(tls, tls_ca, client_cert, client_key, server_name, token)
    with Recognizer(address, timeout=timeout, **options) as client:
        serving = client.pin(version)
    if as_json:
        print(json.dumps({"pinned": serving if version else None, "serving": serving or None}))
        return
    what = _in_words(serving) if serving else "no version yet"
    print(f"{what} is pinned" if version else f"no version is pinned: the policy serves {what}")


def _in_words(version: str) -> str:
    from service.wire import in_words

    return in_words(version)
