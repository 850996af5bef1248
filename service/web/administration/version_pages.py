"""The page of one version: what was published with it, as far as that can be read; and its report."""

import asyncio
import re
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.responses import Response

from service.client import AccessError, NotFoundError, ServiceError
from service.web.administration.curves import charts, history_view
from service.web.administration.loose import DamagedDocumentError
from service.web.administration.manifest_view import manifest_view
from service.web.administration.report_parts import ReportParts, report_parts
from service.web.administration.return_path import HOME
from service.web.administration.version_rows import MANY, rows
from service.web.administration.visit import Visit, administrators
from service.web.markdown import as_html

__all__ = ["routes"]

T = TypeVar("T")

REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The content security policy of a report, the one page here that has styles in its HTML.

`sandbox` gives it an origin of its own, without scripts, forms or windows: whatever a report contains, it can reach
neither the cookies nor the pages of this server, and it cannot load anything.
"""

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


async def _version(visit: Visit) -> Response:
    version = _named(visit)
    found, documents = await asyncio.gather(
        visit.client.versions(limit=MANY),
        asyncio.gather(*(_document(visit, name, version) for name in _DOCUMENTS)),
    )
    manifest, history, report, card = documents
    row = next((row for row in rows(found) if row.summary.version == version), None)
    if row is None and not any(documents):
        raise NotFoundError(f"there is no version {version!r}")
    shown, damaged = await asyncio.to_thread(_read, manifest, history, report)
    return visit.page(
        "admin/version.html.j2",
        version=version,
        row=row,
        found=found,
        damaged=damaged,
        has_report=report is not None,
        card=as_html(card.decode("utf-8", "replace"), visit.words("admin.version.table")) if card else "",
        **shown,
    )


async def _report(visit: Visit) -> Response:
    page = Response(await visit.client.document("report.html", version=_named(visit)), media_type="text/html")
    page.headers["Content-Security-Policy"] = REPORT_POLICY
    page.headers["Cache-Control"] = "no-store"
    page.headers["X-Content-Type-Options"] = "nosniff"
    return page


_DOCUMENTS = ("manifest.json", "history.json", "report.html", "card.md")


def _named(visit: Visit) -> str:
    version: str = visit.request.path_params["version"]
    if not _VERSION.fullmatch(version):
        raise NotFoundError(f"there is no version {version[:64]!r}")
    return version


async def _document(visit: Visit, name: str, version: str) -> bytes | None:
    """A document; None if the version has none of this name, or it cannot be had."""
    try:
        return await visit.client.document(name, version=version)
    except AccessError:
        raise
    except ServiceError:
        return None


def _read(manifest: bytes | None, history: bytes | None, report: bytes | None) -> tuple[dict[str, Any], list[str]]:
    """What the documents say, for the template, and the names of those that cannot be read."""
    damaged: list[str] = []

    def attempt(name: str, read: Callable[[bytes], T], data: bytes | None) -> T | None:
        if data is None:
            return None
        try:
            return read(data)
        except DamagedDocumentError:
            damaged.append(name)
            return None

    epochs = attempt("history.json", history_view, history) or []
    return {
        "m": attempt("manifest.json", manifest_view, manifest),
        "epochs": epochs,
        "charts": charts(epochs),
        "parts": report_parts(report) if report else ReportParts(),
    }, damaged


routes = [
    administrators("/models/{version}", _version, after=HOME),
    administrators("/models/{version}/report", _report, after=HOME),
]
