"""Static files: read once, served from memory, at addresses that name their contents."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

__all__ = ["StaticFiles"]

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
}
"""What a browser is told about a file. A file of any other kind is not served."""

_FOREVER = "public, max-age=31536000, immutable"
_NOT_WORTH_IT = 0.95
"""A file that gzip hardly shrinks, such as a PNG, is sent as it is."""


@dataclass(frozen=True)
class _File:
    kind: str
    plain: bytes
    packed: bytes | None


class StaticFiles:
    """The files below a folder.

    All of them share one digest, over all contents: so modules and style sheets reach each other by relative names,
    and a browser never mixes those of two releases.
    """

    def __init__(self, folder: Path) -> None:
        """Read the files.

        Args:
            folder: Each file below it whose kind is known is served under its path.
        """
        found = sorted(path for path in folder.rglob("*") if path.suffix in _TYPES and path.is_file())
        self._files = {path.relative_to(folder).as_posix(): _read(path) for path in found}
        digest = hashlib.sha256()
        for name, file in self._files.items():
            digest.update(f"{name}\n{len(file.plain)}\n".encode() + file.plain)
        self.digest = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """The address of a file: "draw/page.js" → "/static/DIGEST/draw/page.js".

        Raises:
            KeyError: There is no such file.
        """
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self.digest}/{name}"

    @property
    def routes(self) -> list[Route]:
        """The files, each under the digest of all; and the two whose addresses browsers and robots know by heart."""
        return [
            Route("/static/{digest}/{name:path}", self._under_digest),
            Route("/favicon.svg", self._by_name),
            Route("/robots.txt", self._by_name),
        ]

    async def _under_digest(self, request: Request) -> Response:
        # What an older release has served is not answered with the files of this one: a page would mix the two.
        if request.path_params["digest"] != self.digest:
            return _missing()
        return self._answer(request, request.path_params["name"], _FOREVER)

    async def _by_name(self, request: Request) -> Response:
        return self._answer(request, request.url.path.removeprefix("/"), "public, max-age=3600")

    def _answer(self, request: Request, name: str, caching: str) -> Response:
        file = self._files.get(name)
        if file is None:
            return _missing()
        headers = {"Cache-Control": caching, "Content-Type": file.kind}
        body = file.plain
        if file.packed is not None:
            headers["Vary"] = "Accept-Encoding"
            if _takes_gzip(request.headers.get("accept-encoding", "")):
                headers["Content-Encoding"], body = "gzip", file.packed
        return Response(body, headers=headers)


def _missing() -> Response:
    return PlainTextResponse("no such file\n", 404, {"Cache-Control": "no-store"})


def _read(path: Path) -> _File:
    plain = path.read_bytes()
    packed = gzip.compress(plain, 9, mtime=0)
    return _File(_TYPES[path.suffix], plain, packed if len(packed) < _NOT_WORTH_IT * len(plain) else None)


def _takes_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header takes gzip: it, or `*`, without `q=0` (RFC 9110, 12.5.3)."""
    takes = {}
    for part in header.split(","):
        name, _, weight = part.partition(";")
        takes[name.strip().lower()] = weight.replace(" ", "").lower() not in (
            "q=0",
            "q=0.",
            "q=0.0",
            "q=0.00",
            "q=0.000",
        )
    return takes.get("gzip", takes.get("*", False))
