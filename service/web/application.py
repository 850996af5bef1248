"""The web server's application: its rooms put together, behind their guards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.web import drawing, rest
from service.web.administration import feedback_pages, models_pages, sign_in, version_pages
from service.web.administration.doors import Doors
from service.web.error_answers import of_http
from service.web.rest.front import OpenInference
from service.web.rest.operations import Operations
from service.web.security.access_line import AccessLine
from service.web.security.body_limit import BodyLimit
from service.web.security.catching import Catching
from service.web.security.cross_site import CrossSite
from service.web.security.hosts import Hosts
from service.web.security.limits import Limits
from service.web.security.peers import Peers
from service.web.security.safe_headers import SafeHeaders
from service.web.site import Site
from service.web.upstream import Upstream

__all__ = ["application"]

DEFAULT_LIMITS = Limits()


def application(upstream: Upstream, *, limits: Limits = DEFAULT_LIMITS, access_log: bool = False) -> Starlette:
    """The application.

    Args:
        upstream: The service whose answers it shows. It is closed when the application ends.
        limits: What it puts up with.
        access_log: Whether each request is logged.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await upstream.close()

    doors = Doors()
    site = Site(doors.csrf_of)
    app = Starlette(
        routes=[
            *drawing.routes,
            *sign_in.routes,
            *models_pages.routes,
            *version_pages.routes,
            *feedback_pages.routes,
            *rest.routes,
            *site.static.routes,
            Route("/healthz", _health),
        ],
        middleware=[
            *([Middleware(AccessLine)] if access_log else []),
            Middleware(SafeHeaders),
            Middleware(Catching),
            Middleware(Hosts, limits.hosts),
            Middleware(Peers, limits),
            Middleware(CrossSite),
            Middleware(BodyLimit, limits),
            Middleware(OpenInference, Operations(upstream).answer, limits),
        ],
        exception_handlers={HTTPException: of_http},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # an address has one spelling
    app.state.upstream, app.state.site, app.state.limits, app.state.doors = upstream, site, limits, doors
    return app


async def _health(_: Request) -> Response:
    """Whether the web server itself is up; whether the service answers is shown by /page/status."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})
