"""The command `web`: the page, and the REST half of the Open Inference Protocol."""

import asyncio
import gc
import logging
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ConfigError
from service.cli.connection_flags import (
    ClientCertFlag,
    ClientKeyFlag,
    ServerNameFlag,
    TlsCaFlag,
    TlsFlag,
    TokenFlag,
    address_or_default,
    client_options,
)
from service.cli.web_files import CertificateFiles, TokenFile, keep_looking
from service.from_environment import read_as
from service.listening import refuse_exposure
from service.telemetry import logs
from service.web.web_settings import WebSettings, listed

if TYPE_CHECKING:
    from service.web.security.limits import Limits
    from service.web.upstream import Upstream

__all__ = ["web"]


def web(
    *,
    tls: TlsFlag = False,
    tls_ca: TlsCaFlag = None,
    client_cert: ClientCertFlag = None,
    client_key: ClientKeyFlag = None,
    server_name: ServerNameFlag = None,
    token: TokenFlag = None,
    **flags: Any,
) -> None:
    """Serve a page on which people draw digits, and the REST half of the Open Inference Protocol.

    The service that reads the digits may start and stop meanwhile; the page says so, and goes on once it is back.

    Prints `listening on http://HOST:PORT` on standard output once it listens, and logs to standard error. SIGTERM and
    Ctrl-C let the requests in flight finish; a second Ctrl-C does not.
    """
    settings = read_as(WebSettings, **flags)
    logs.configure(settings.log_level, settings.log_format)
    certificate = _certificate(settings)
    token_file = _token_file(settings, token)
    options = client_options(
        tls, tls_ca, client_cert, client_key, server_name, token_file.token if token_file else token
    )
    if settings.token_without_tls:
        options["token_without_tls"] = True
    status = _run(settings, options, certificate, token_file)
    logging.shutdown()
    raise SystemExit(status)


def _run(
    settings: WebSettings,
    options: dict[str, Any],
    certificate: CertificateFiles | None,
    token_file: TokenFile | None,
) -> int:
    """Serve until a signal; gives the exit status."""
    import uvloop

    from service.web.application import application
    from service.web.web_server import listener, serve

    upstream = _upstream(settings, options)

    def look_at_token() -> None:
        if token_file and token_file.look():
            upstream.use_token(token_file.token, token_without_tls=settings.token_without_tls)
            logging.getLogger(__name__).info("the token of the web server was renewed")

    async def live() -> int:
        looks = [*([look_at_token] if token_file else []), *([certificate.look] if certificate else [])]
        looking = asyncio.create_task(keep_looking(*looks)) if looks else None
        app = application(upstream, limits=_limits(settings), access_log=settings.access_log)
        gc.collect()
        gc.freeze()  # as the service does: what was imported until now stays for good
        try:
            return await serve(
                app,
                socket,
                lambda sentence: print(sentence, flush=True),
                host=settings.host,
                drain_seconds=settings.drain_seconds,
                tls=certificate.context if certificate else None,
                proxies=listed(settings.trust_proxy),
            )
        finally:
            if looking:
                looking.cancel()
                with suppress(asyncio.CancelledError):
                    await looking

    with listener(settings.host, settings.port) as socket:
        return uvloop.run(live())


def _upstream(settings: WebSettings, options: dict[str, Any]) -> "Upstream":
    from service.client import AsyncRecognizer
    from service.client.connection import Connection
    from service.web.upstream import Upstream

    connect = partial(AsyncRecognizer, address_or_default(settings.address))
    connection = Connection.to(address_or_default(settings.address), **options)
    return Upstream(lambda other, **more: connect(**(options | ({"token": other} if other else {}) | more)), connection)


def _limits(settings: WebSettings) -> "Limits":
    from service.listening import is_loopback
    from service.web.security.limits import Limits, hosts_named

    return Limits(
        hosts=hosts_named(listed(settings.allow_host), loopback=is_loopback(settings.host, settings.port)),
        picture_bytes=settings.max_picture_bytes,
        body_seconds=settings.body_seconds,
        waiting_bytes=max(settings.max_waiting_bytes, settings.max_picture_bytes),
        rate=settings.peer_rate,
        at_once=settings.peer_requests,
    )


def _certificate(settings: WebSettings) -> CertificateFiles | None:
    """What to listen with; None for plain text.

    Raises:
        ConfigError: Other machines would be answered in clear text, and the settings do not say that this is intended;
            or only one of certificate and key is set, or one cannot be used.
    """
    if (settings.tls_cert is None) != (settings.tls_key is None):
        given, missing = ("cert", "key") if settings.tls_cert else ("key", "cert")
        raise ConfigError(f"NUMERAL_WEB_TLS_{given.upper()} is set without its {missing}; set --tls-{missing} too")
    if settings.tls_cert is None or settings.tls_key is None:
        refuse_exposure(settings.host, settings.port, settings.allow_insecure)
        return None
    return CertificateFiles(Path(settings.tls_cert), Path(settings.tls_key))


def _token_file(settings: WebSettings, token: str | None) -> TokenFile | None:
    if settings.token_file is None:
        return None
    if token:
        raise ConfigError("there are two tokens: --token (NUMERAL_TOKEN) and --token-file; set one of them")
    return TokenFile(Path(settings.token_file))
