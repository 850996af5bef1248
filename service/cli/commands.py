"""The command line: `python -m service serve | predict | health | status | pin | trial | web`, or `numeral-service`.

Whatever takes long to import is imported by the command that needs it, so that `--help` and `health` are quick.
"""

import json
import logging
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.command_line import software_version
from core.errors import ConfigError, NumeralError
from core.terminal import accept_any_text
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

if TYPE_CHECKING:
    from service.cli.predict import Oracle
    from service.settings import Settings

__all__ = ["app", "main"]

app = typer.Typer(
    name="service",
    help="Serve the promoted version over gRPC, or let it read the digits in pictures.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"numeral {software_version()}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version, and exit."),
    ] = False,
) -> None:
    pass  # the options that stand before a command; those of the commands are theirs


RepositoryFlag = Annotated[
    str | None,
    typer.Option(
        help="Where versions are published: a folder, file:///… or s3://… [NUMERAL_REPOSITORY, else ./models]."
    ),
]

PretrainedFlag = Annotated[
    str | None,
    typer.Option(
        help="Repository whose champion answers until a version is published; off for none "
        "[NUMERAL_PRETRAINED, else the one that ships with Numeral]."
    ),
]


def serve(**flags: Any) -> None:
    """Serve the champion, and switch to another version when it is promoted.

    Until a version is published, the pretrained version that ships with Numeral serves.

    Prints `listening on HOST:PORT` on standard output once it listens, and logs to standard error. SIGTERM and Ctrl-C
    let the calls in flight finish; a second Ctrl-C does not.
    """
    settings = _settings(**flags)
    from service.api.tokens import Tokens
    from service.server import processes, tls
    from service.server.assembly import Server

    # Checked before any process is started, so that an error is printed once.
    tls.check(settings)
    if settings.tokens_file:
        Tokens(settings.tokens_file)

    status = processes.serve(settings, Server, lambda sentence: print(sentence, flush=True))
    logging.shutdown()
    # A regular exit would wait for threads that are still decoding, or waiting for a storage that does not answer.
    os._exit(status)


@app.command()
def predict(
    images: Annotated[list[Path], typer.Argument(help="PNG, JPEG, … files.", metavar="IMAGE…", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    many: Annotated[bool, typer.Option("--many", help="Read all the digits in each picture, and say where.")] = False,
    address: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of a server to ask; without it, the champion is loaded into this process."),
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
    """Read the digit in each picture, or with --many all of its digits.

    Exit status 1 if a file cannot be read at all, 0 otherwise, even if a picture shows no digit.
    """
    settings = _settings(repository=repository, pretrained=pretrained)
    from service.cli import predict as prediction

    source: AbstractContextManager[Oracle]
    if address:
        source = prediction.server_at(
            address, **client_options(tls, tls_ca, client_cert, client_key, server_name, token)
        )
    else:
        source = nullcontext(prediction.champion_here(settings, _say))
    with source as oracle:
        found = list(prediction.outcomes(images, oracle, many=many))
    if as_json:
        print(json.dumps([outcome.row() for outcome in found]))
    else:
        print(*(outcome.line() for outcome in found), sep="\n")
        if len(found) == 1:
            print(*found[0].bars(), sep="\n")
    raise typer.Exit(1 if any(outcome.missing for outcome in found) else 0)


@app.command()
def health(
    address: AddressFlag = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = 3.0,
    tls: TlsFlag = False,
    tls_ca: TlsCaFlag = None,
    client_cert: ClientCertFlag = None,
    client_key: ClientKeyFlag = None,
    server_name: ServerNameFlag = None,
) -> None:
    """Ask a server for its health; exit status 0 if it is SERVING, 1 otherwise."""
    from service.client import Recognizer

    address = address_or_default(address)
    options = client_options(tls, tls_ca, client_cert, client_key, server_name, None)
    with Recognizer(address, timeout=timeout, **options) as client:
        status = client.health()
    _say(f"{address}: {status}")
    raise typer.Exit(0 if status == "SERVING" else 1)


@app.command()
def status(
    address: AddressFlag = None,
    metrics: Annotated[
        str | None,
        typer.Option(help="HOST:PORT or URL of its metrics [127.0.0.1 and NUMERAL_METRICS_PORT, else 9090]."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Show the status once, and exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    tls: TlsFlag = False,
    tls_ca: TlsCaFlag = None,
    client_cert: ClientCertFlag = None,
    client_key: ClientKeyFlag = None,
    server_name: ServerNameFlag = None,
    token: TokenFlag = None,
) -> None:
    """Show the calls, the latency, the versions and the drift of a server, updated every second until Ctrl-C.

    Exit status 0 if both the server and its metrics could be read at the last look, 1 otherwise.
    """
    from rich.console import Console

    from service.cli import scrape, view
    from service.cli.metrics_url import metrics_url
    from service.client.connection import Connection

    address = address_or_default(address)
    connection = Connection.to(address, **client_options(tls, tls_ca, client_cert, client_key, server_name, token))
    with scrape.source_of(connection, metrics_url(metrics)) as source:
        found = scrape.read(source) if as_json else view.watch(source, once=once, console=Console())
    if as_json:
        print(view.document(found))
    if as_json or not once:  # which else are among what is shown, and stays on the terminal
        for trouble in found.troubles:
            _say(f"error: {trouble}")
    raise typer.Exit(1 if found.troubles else 0)


def main() -> None:
    """Run the command line. A known error is one sentence on standard error; exit status 2 for a setting, else 1."""
    # Read when NumPy is imported. A second BLAS thread hardly helps with matrices this small; waiting for it on busy
    # cores turns 0.2 ms into 3 ms for one call in a hundred.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # With gRPC's older listener, a call passes through fewer threads: a lone call takes 0.27 ms instead of 0.37.
    os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")
    # An error inside gRPC is returned to its caller, which reports it; gRPC need not log it as well.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    accept_any_text()
    if sys.argv[1:2] != ["health"]:  # health runs every few seconds, and the settings take long to import
        from service.cli.long_to_import import add_commands

        add_commands(app, serve, sys.argv[1:2])
    try:
        app()
    except NumeralError as error:
        _say(f"error: {error}")
        sys.exit(2 if isinstance(error, ConfigError) else 1)


def _settings(**flags: Any) -> "Settings":
    """Read the settings, and set up logging."""
    from service import settings
    from service.telemetry import logs

    found = settings.read(**flags)
    logs.configure(found.log_level, found.log_format)
    return found


def _say(sentence: str) -> None:
    """Print a sentence on standard error, apart from the output."""
    print(sentence, file=sys.stderr)
