"""The methods of numeral.v1.Recognizer that show the repository: its versions, the moves of an alias, documents."""

from datetime import datetime
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from core.artifact.alias import Move
from core.artifact.repository import CHAMPION
from protos.numeral.v1 import recognizer_pb2 as pb
from protos.numeral.v1 import recognizer_pb2_grpc
from service.api.recognizer.paging import page_begin, page_size
from service.errors import RequestError
from service.texts import quoted, shortened
from service.versions.catalog import Catalog, Row
from service.versions.documents import DOCUMENTS, Documents

__all__ = ["RepositoryMethods"]

_Context = grpc.aio.ServicerContext[Any, Any]


class RepositoryMethods(recognizer_pb2_grpc.RecognizerServicer):
    """A part of the servicer, see the .proto file."""

    def __init__(self, documents: Documents, catalog: Catalog) -> None:
        """Answer calls.

        Args:
            documents: Reads the documents of versions.
            catalog: Lists versions and moves.
        """
        self._documents = documents
        self._catalog = catalog

    async def ListVersions(self, request: pb.ListVersionsRequest, _context: _Context) -> pb.ListVersionsResponse:  # noqa: N802 — here and below: the names in the .proto file
        """List the versions, and say what is served and why."""
        page = await self._catalog.versions(page_size(request.page_size), page_begin(request.page))
        return pb.ListVersionsResponse(
            versions=map(_version, page.rows),
            next_page=_next_page(page.after),
            serving=page.serving,
            why=page.why,
            policy=page.policy,
            loaded_by_hand=page.by_hand,
            pinned=page.pinned,
        )

    async def ListMoves(self, request: pb.ListMovesRequest, _context: _Context) -> pb.ListMovesResponse:  # noqa: N802
        """List the moves of an alias."""
        size, below = page_size(request.page_size), page_begin(request.page)
        moves, after = await self._catalog.moves(request.alias or CHAMPION, size, below)
        return pb.ListMovesResponse(moves=[_move(number, move) for number, move in moves], next_page=_next_page(after))

    async def GetDocument(self, request: pb.GetDocumentRequest, _context: _Context) -> pb.GetDocumentResponse:  # noqa: N802
        """Send a document of a version."""
        if request.name not in DOCUMENTS:
            raise RequestError(f"name: {quoted(request.name)}, expected one of {', '.join(DOCUMENTS)}")
        found = await self._documents.read(request.name, request.model_version)
        return pb.GetDocumentResponse(content=found.content, media_type=found.media_type, model_version=found.version)


def _next_page(after: int | None) -> str:
    return "" if after is None else str(after)


def _version(row: Row) -> pb.Version:
    status, found = row.status, row.described
    version = pb.Version(
        model_version=status.version, aliases=status.aliases, state=status.state, reason=shortened(status.reason)
    )
    if isinstance(found, str):
        version.trouble = found
        return version
    version.created.CopyFrom(_timestamp(found.created))
    version.recipe = found.recipe
    version.parameters = found.parameters
    version.test_accuracy = found.test_accuracy
    version.validation_accuracy = found.validation_accuracy
    version.weights_sha256 = found.weights_sha256
    version.verdict = found.verdict
    return version


def _move(number: int, move: Move) -> pb.Move:
    previous = "" if move.previous is None else str(move.previous)
    return pb.Move(
        number=number,
        version=str(move.version),
        previous=previous,
        at=_timestamp(move.at),
        by=shortened(move.by),
        why=shortened(move.why),
    )


def _timestamp(moment: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(moment)
    return found
