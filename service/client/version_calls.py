"""The calls about the versions of a repository, here for threads; see `service.client.aio_version_calls`."""

from service.client.calls import Calls
from service.client.listed import Move, MovePages, VersionPages, Versions, document_request

__all__ = ["VersionCalls"]


class VersionCalls(Calls):
    """What an administrator may see. If the server asks for tokens, the client's needs the role `admin`."""

    def versions(self, *, limit: int = 100, timeout: float | None = None) -> Versions:
        """List the versions of the repository, the newest first, and say what is served and why.

        Args:
            limit: The most versions; several calls are made for more than 1,000.
            timeout: Seconds for each call; by default the timeout of the client.

        Raises:
            AccessError: The token does not permit the call.
            ServiceError: There is no answer; see `recognize`.
        """
        pages = VersionPages(limit)
        for request in pages.requests():
            pages.add(self._call(self._stub.ListVersions, request, timeout))
        return pages.result()

    def moves(self, alias: str = "champion", *, limit: int = 100, timeout: float | None = None) -> list[Move]:
        """List the moves of an alias, the newest first: which version it has named since when, and why.

        Args:
            alias: Its name.
            limit: The most moves; several calls are made for more than 1,000.
            timeout: Seconds for each call; by default the timeout of the client.

        Raises:
            NotFoundError: There is no such alias.
            ServiceError: There is no answer: the repository cannot be read, for example. See `recognize`.
        """
        pages = MovePages(alias, limit)
        for request in pages.requests():
            pages.add(self._call(self._stub.ListMoves, request, timeout))
        return pages.result()

    def document(self, name: str, *, version: str | int = "", timeout: float | None = None) -> bytes:
        """One of the documents that were published with a version, as it was published: its digest was checked.

        Args:
            name: "manifest.json", "history.json", "report.html" or "card.md".
            version: A version, loaded or not, or an alias; by default, what answers calls that name none.
            timeout: Seconds; by default the timeout of the client.

        Raises:
            RequestError: There is no document of this name in any version.
            NotFoundError: There is no such version, or it was published without this document.
            RefusedError: The document is damaged, or too large to be sent.
            ServiceError: There is no answer; see `recognize`.
        """
        return bytes(self._call(self._stub.GetDocument, document_request(name, version), timeout).content)
