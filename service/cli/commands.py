"""The command line: `python -m service serve | predict | health | status`, also installed as `numeral-service`.

What takes long to import is imported by the command that needs it, so that `--help` and `health` are quick.
"""

import json
import logging
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import ConfigError, NumeralError

if TYPE_CHECKING:
    from service.cli.predict import Oracle
    from service.settings import Settings

__all__ = ["app", "main"]

app = typer.Typer(
    name="service",
    help="Serve the promoted model over gRPC, or ask it about pictures.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

RepositoryFlag = Annotated[
    str | None, typer.Option(help="Where versions are published [NUMERAL_REPOSITORY, else ./models].")
]

PretrainedFlag = Annotated[
    str | None,
    typer.Option(
        help="Where the version is that answers until one is published; off: none does "
        "[NUMERAL_PRETRAINED, else the one that ships with Numeral]."
    ),
]

TlsFlag = Annotated[
    bool,
    typer.Option("--tls", help="Speak TLS; the authorities that this machine trusts vouch for the server."),
]
TlsCaFlag = Annotated[
    Path | None,
    typer.Option(
        envvar="NUMERAL_TLS_CA",
        show_envvar=False,
        help="Speak TLS; the authorities in this PEM file vouch for the server [NUMERAL_TLS_CA].",
    ),
]
ClientCertFlag = Annotated[
    Path | None,
    typer.Option(
        envvar="NUMERAL_CLIENT_CERT",
        show_envvar=False,
        help="PEM file with the certificate to show, where the server wants one [NUMERAL_CLIENT_CERT].",
    ),
]
ClientKeyFlag = Annotated[
    Path | None,
    typer.Option(
        envvar="NUMERAL_CLIENT_KEY",
        show_envvar=False,
        help="PEM file with that certificate's private key [NUMERAL_CLIENT_KEY].",
    ),
]
ServerNameFlag = Annotated[
    str | None, typer.Option(help="The name in the server's certificate, where it is not that of the address.")
]
TokenFlag = Annotated[
    str | None,
    typer.Option(
        envvar="NUMERAL_TOKEN",
        show_envvar=False,
        help="The token to show; better in the environment, where other users do not see it [NUMERAL_TOKEN].",
    ),
]


def serve(**flags: Any) -> None:
    """Serve the champion, and follow it when another version is promoted.

    As long as nothing was published, the pretrained version that ships with Numeral serves.

    Prints `listening on HOST:PORT` on standard output once it listens, and logs to standard error. SIGTERM and Ctrl-C
    let the calls under way finish; a second Ctrl-C does not.
    """
    settings = _settings(**flags)
    from service.api.access import Tokens
    from service.server import processes, tls

    # Before anything is started, so that it is said once.
    tls.check(settings)
    if settings.tokens_file:
        Tokens(settings.tokens_file)

    status = processes.serve(settings, lambda sentence: print(sentence, flush=True))
    logging.shutdown()
    # Python would wait here for threads that are still decoding, or waiting for a storage that does not answer.
    os._exit(status)


@app.command()
def predict(
    images: Annotated[list[Path], typer.Argument(help="PNG, JPEG, … files.", metavar="IMAGE…", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")] = False,
    address: Annotated[
        str | None, typer.Option(help="HOST:PORT of a server to ask; without it the champion is loaded here.")
    ] = None,
    repository: RepositoryFlag = None,
    pretrained: PretrainedFlag = None,
    tls: TlsFlag = False,
    tls_ca: TlsCaFlag = None,
    client_cert: ClientCertFlag = None,
    client_key: ClientKeyFlag = None,
    server_name: ServerNameFlag = None,
    token: TokenFlag = None,
) -> None:
    """Read the digit in each picture.

    Exit status 1 if a file could not be read at all, 0 otherwise, even where a picture shows no digit.
    """
    settings = _settings(repository=repository, pretrained=pretrained)
    from service.cli import predict as prediction

    source: AbstractContextManager[Oracle]
    if address:
        source = prediction.server_at(address, **_options(tls, tls_ca, client_cert, client_key, server_name, token))
    else:
        source = nullcontext(prediction.champion_here(settings, _say))
    with source as oracle:
        found = list(prediction.outcomes(images, oracle))
    if as_json:
        print(json.dumps([outcome.row() for outcome in found]))
    else:
        print(*(outcome.line() for outcome in found), sep="\n")
        if len(found) == 1:
            print(*found[0].bars(), sep="\n")
    raise typer.Exit(1 if any(outcome.missing for outcome in found) else 0)


@app.command()
def health(
    address: Annotated[
        str | None, typer.Option(help="HOST:PORT of the server [127.0.0.1 and NUMERAL_PORT, else 8500].")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = 3.0,
    tls: TlsFlag = False,
    tls_ca: TlsCaFlag = None,
    client_cert: ClientCertFlag = None,
    client_key: ClientKeyFlag = None,
    server_name: ServerNameFlag = None,
) -> None:
    """Ask a server whether it can answer; exit status 0 if it says SERVING, 1 otherwise."""
    from service.client import Recognizer

    # Not through the settings: see `main`.
    address = address or f"127.0.0.1:{os.environ.get('NUMERAL_PORT') or 8500}"
    with Recognizer(address, **_options(tls, tls_ca, client_cert, client_key, server_name, None)) as client:
        status = client.health(timeout=timeout)
    _say(f"{address}: {status}")
    raise typer.Exit(0 if status == "SERVING" else 1)


@app.command()
def status(
    address: Annotated[
        str | None, typer.Option(help="HOST:PORT of the server [127.0.0.1 and NUMERAL_PORT, else 8500].")
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(help="HOST:PORT of its metrics [127.0.0.1 and NUMERAL_METRICS_PORT, else 9090].")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Show it once, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")] = False,
    tls: TlsFlag = False,
    tls_ca: TlsCaFlag = None,
    client_cert: ClientCertFlag = None,
    client_key: ClientKeyFlag = None,
    server_name: ServerNameFlag = None,
    token: TokenFlag = None,
) -> None:
    """Show what a server does: calls, latency, versions and their states, drift; until Ctrl-C.

    Exit status 1 if neither the server nor its metrics can be reached, 0 otherwise.
    """
    from rich.console import Console

    from service.cli import view
    from service.client.connection import Connection

    address = address or f"127.0.0.1:{os.environ.get('NUMERAL_PORT') or 8500}"
    metrics = metrics or f"127.0.0.1:{os.environ.get('NUMERAL_METRICS_PORT') or 9090}"
    connection = Connection.to(address, **_options(tls, tls_ca, client_cert, client_key, server_name, token))
    with view.place_of(connection, metrics) as place:
        found = view.read(place) if as_json else view.watch(place, once=once, console=Console())
    if as_json:
        print(view.document(found))
    raise typer.Exit(0 if found.versions or found.totals else 1)


def main() -> None:
    """Run the command line; a known failure is one sentence on standard error and exit status 1, or 2 for a setting."""
    # Read when NumPy is imported. A second BLAS thread hardly helps with matrices this small, and where the cores are
    # busy, waiting for it turns 0.2 ms into 3 ms for one call in a hundred.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # gRPC's older way to listen hands a call through fewer threads: a lone one takes 0.27 ms instead of 0.37.
    os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")
    # What goes wrong inside gRPC comes back as an error, and is told in our words; it need not log it as well.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    if sys.argv[1:2] != ["health"]:  # which runs every few seconds, and for which the settings take long to import
        from service.cli import flags

        app.command()(flags.of_settings(serve))
    try:
        app()
    except NumeralError as error:
        _say(f"error: {error}")
        sys.exit(2 if isinstance(error, ConfigError) else 1)


def _options(
    tls: bool,
    authorities: Path | None,
    certificate: Path | None,
    key: Path | None,
    server_name: str | None,
    token: str | None,
) -> dict[str, Any]:
    """What the flags say, as the client takes it."""
    if (certificate is None) != (key is None):
        raise ConfigError("--client-cert and --client-key belong together; give both, or neither")
    return {
        "tls": authorities or tls,
        "certificate": (certificate, key) if certificate else None,
        "server_name": server_name,
        "token": token or None,
    }


def _settings(**flags: Any) -> "Settings":
    """Read the settings, and log from now on as they say."""
    from service import settings
    from service.telemetry import logs

    found = settings.read(**flags)
    logs.configure(found.log_level, found.log_format)
    return found


def _say(sentence: str) -> None:
    """Tell people something, beside the output."""
    print(sentence, file=sys.stderr)
