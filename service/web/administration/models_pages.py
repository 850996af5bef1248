"""The pages about all versions: the list, the history of the alias, and pinning one."""

import asyncio

from starlette.responses import Response

from core.errors import NumeralError
from service.client import AccessError, Move, NotFoundError, ServiceError
from service.web.administration.sessions import Notice
from service.web.administration.version_rows import MANY, rows
from service.web.administration.visit import Visit, administrators

__all__ = ["MODELS", "routes"]

FEW = 100
"""Versions and moves that the page shows, unless more are asked for."""

LONGEST_VERSION = 64

MODELS = "/models"


async def _list(visit: Visit) -> Response:
    most = MANY if visit.request.query_params.get("all") else FEW
    found, moves = await asyncio.gather(visit.client.versions(limit=most), _moves(visit, most))
    return visit.page(
        "admin/models.html.j2",
        found=found,
        rows=rows(found),
        moves=moves,
        more=most == FEW and (found.more or len(moves or []) >= FEW),
    )


async def _moves(visit: Visit, most: int) -> list[Move] | None:
    """The history of the alias; none if there is no alias yet, and None if it cannot be read."""
    try:
        return await visit.client.moves(limit=most)
    except NotFoundError:
        return []
    except AccessError:
        raise
    except ServiceError:
        return None


async def _ask(visit: Visit) -> Response:
    """The step before pinning, or before returning to the policy: what will happen, and a button."""
    version = visit.request.query_params.get("version", "")[:LONGEST_VERSION]
    found = await visit.client.versions(limit=MANY)
    known = next((row for row in rows(found) if row.summary.version == version), None)
    if version and known is None:
        raise NotFoundError(f"there is no version {version!r}")
    return visit.page("admin/pin.html.j2", found=found, version=version, row=known)


async def _pin(visit: Visit) -> Response:
    version = visit.field("version")[:LONGEST_VERSION]
    try:
        serving = await visit.client.pin(version)
    except AccessError:
        raise
    except NumeralError as error:
        return visit.back(MODELS, Notice("admin.pin.failed", {"said": str(error)}, good=False))
    key = "admin.pin.done" if version else "admin.pin.returned"
    return visit.back(MODELS, Notice(key, {"version": serving}))


routes = [
    administrators(MODELS, _list, after=MODELS),
    administrators("/models/pin", _ask, after=MODELS),
    administrators("/models/pin", _pin, after=MODELS, method="POST"),
]
