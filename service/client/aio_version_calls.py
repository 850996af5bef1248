"""The calls about the versions of a repository, for asyncio; `service.client.version_calls` documents them in full."""

from service.client.aio_calls import AsyncCalls
from service.client.listed import Move, MovePages, VersionPages, Versions, document_request

__all__ = ["AsyncVersionCalls"]


class AsyncVersionCalls(AsyncCalls):
    """What an administrator may see. If the server asks for tokens, the client's needs the role `admin`."""

    async def versions(self, *, limit: int = 100, timeout: float | None = None) -> Versions:
        """List the versions of the repository, the newest first, and say what is served and why."""
        pages = VersionPages(limit)
        for request in pages.requests():
            pages.add(await self._call(self._stub.ListVersions, request, timeout))
        return pages.result()

    async def moves(self, alias: str = "champion", *, limit: int = 100, timeout: float | None = None) -> list[Move]:
        """List the moves of an alias, the newest first."""
        pages = MovePages(alias, limit)
        for request in pages.requests():
            pages.add(await self._call(self._stub.ListMoves, request, timeout))
        return pages.result()

    async def document(self, name: str, *, version: str | int = "", timeout: float | None = None) -> bytes:
        """One of the documents that were published with a version."""
        return bytes((await self._call(self._stub.GetDocument, document_request(name, version), timeout)).content)
