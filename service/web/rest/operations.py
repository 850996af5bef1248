"""The operations of the protocol: each converts, calls the service, and converts back."""

from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from typing import Any, cast

import grpc

from protos.inference import open_inference_pb2 as pb
from protos.inference.open_inference_pb2_grpc import GRPCInferenceServiceStub
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.web.rest.callers import Callers, Metadata
from service.web.rest.gathering import Gathering
from service.web.rest.http_error import HttpError
from service.web.rest.infer_replies import infer_reply
from service.web.rest.infer_requests import infer_request
from service.web.rest.json_values import object_in, put_parameters
from service.web.rest.messages import as_document
from service.web.rest.pictures_of_people import is_picture, picture_reply, picture_request
from service.web.rest.places import Asked, Place
from service.web.rest.replies import EMPTY, Reply, compressed, of_json
from service.web.upstream import Upstream

__all__ = ["Operations"]

LOAD_SECONDS = 60.0
"""How long loading a version may take; it may come from a storage far away."""

EXTENSION = "binary_tensor_data"
"""What this half of the protocol has beside what the service supports."""


class Operations:
    """Answers requests by asking the service."""

    def __init__(self, upstream: Upstream) -> None:
        """Ask nothing yet. From the first request on, it belongs to the event loop that this runs in.

        Args:
            upstream: The service.
        """
        self._upstream = upstream
        self._callers = Callers(upstream)
        self._wait, self._timeout = upstream.connection.wait_for_ready, upstream.connection.timeout

    @cached_property
    def _stub(self) -> Any:
        return GRPCInferenceServiceStub(self._upstream.channel())  # type: ignore[no-untyped-call]

    @cached_property
    def _recognizer(self) -> Any:
        return RecognizerStub(self._upstream.channel())  # type: ignore[no-untyped-call]

    @cached_property
    def _gathering(self) -> Gathering:
        return Gathering(partial(self._ask, self._stub.ModelInfer), self._timeout)

    async def answer(self, asked: Asked) -> Reply:
        """The response to a request.

        Raises:
            HttpError: It is refused here.
            grpc.aio.AioRpcError: The service refuses it.
        """
        operation = cast("Callable[[Asked], Awaitable[Reply]]", getattr(self, asked.place.operation))
        return await operation(asked)

    async def infer(self, asked: Asked) -> Reply:
        """Recognize the digits in pictures."""
        place, headers, body = asked.place, asked.headers, asked.body
        metadata = self._callers.metadata(headers)
        length = headers.get(b"inference-header-content-length")
        if length is None and is_picture(headers.get(b"content-type", b""), body):
            return picture_reply(
                await self._ask(self._recognizer.Recognize, picture_request(body, *place[1:]), metadata)
            )
        request, binary = infer_request(body, _number(length), place.model, place.version)
        response = await self._gathering.ask(request, metadata)
        return compressed(infer_reply(response, binary), headers.get(b"accept-encoding", b""))

    async def live(self, asked: Asked) -> Reply:
        """Tell whether the service is live."""
        found = await self._call("ServerLive", pb.ServerLiveRequest(), asked)
        return _yes(found.live, "the service is not live")

    async def ready(self, asked: Asked) -> Reply:
        """Tell whether infer requests would be answered."""
        found = await self._call("ServerReady", pb.ServerReadyRequest(), asked)
        return _yes(found.ready, "the service is not ready")

    async def model_ready(self, asked: Asked) -> Reply:
        """Tell whether infer requests would be answered by a version."""
        found = await self._call("ModelReady", pb.ModelReadyRequest(**_named(asked.place)), asked)
        return _yes(found.ready, "the model is not ready")

    async def server(self, asked: Asked) -> Reply:
        """Describe the server."""
        found = as_document(await self._call("ServerMetadata", pb.ServerMetadataRequest(), asked))
        return of_json(found | {"extensions": [*found["extensions"], EXTENSION]})

    async def model(self, asked: Asked) -> Reply:
        """Describe the input and the outputs of a version."""
        request = pb.ModelMetadataRequest(**_named(asked.place))
        return of_json(as_document(await self._call("ModelMetadata", request, asked)))

    async def config(self, asked: Asked) -> Reply:
        """Give the configuration of a version."""
        found = await self._call("ModelConfig", pb.ModelConfigRequest(**_named(asked.place)), asked)
        return of_json(as_document(found.config))

    async def stats(self, asked: Asked) -> Reply:
        """Give the statistics of a version, or of all."""
        request = pb.ModelStatisticsRequest(**_named(asked.place))
        return of_json(as_document(await self._call("ModelStatistics", request, asked)))

    async def index(self, asked: Asked) -> Reply:
        """List every known version with its state."""
        ready = _document(asked.body).get("ready")
        if type(ready) not in (bool, type(None)):
            raise HttpError(400, "ready must be true or false")
        found = await self._call("RepositoryIndex", pb.RepositoryIndexRequest(ready=bool(ready)), asked)
        return of_json([as_document(each) for each in found.models])

    async def load(self, asked: Asked) -> Reply:
        """Load versions; if none is named, serve again what the policy says."""
        request = pb.RepositoryModelLoadRequest(model_name=asked.place.model)
        return await self._control("RepositoryModelLoad", request, asked)

    async def unload(self, asked: Asked) -> Reply:
        """Unload a version; if none is named, the model as a whole."""
        request = pb.RepositoryModelUnloadRequest(model_name=asked.place.model)
        return await self._control("RepositoryModelUnload", request, asked)

    async def _control(self, method: str, request: Any, asked: Asked) -> Reply:
        parameters = _document(asked.body).get("parameters") or {}
        if type(parameters) is not dict:
            raise HttpError(400, "parameters must be an object")
        put_parameters(request.parameters, parameters)
        await self._call(method, request, asked, timeout=max(LOAD_SECONDS, self._timeout))
        return EMPTY

    async def _call(self, method: str, request: Any, asked: Asked, timeout: float | None = None) -> Any:
        self._callers.check_lent(method, asked.headers, asked.scope)
        return await self._ask(getattr(self._stub, method), request, self._callers.metadata(asked.headers), timeout)

    async def _ask(self, method: Any, request: Any, metadata: Metadata, timeout: float | None = None) -> Any:
        call: grpc.aio.UnaryUnaryCall[Any, Any] = method(
            request, timeout=timeout or self._timeout, metadata=metadata, wait_for_ready=self._wait
        )
        return await call


def _named(place: Place) -> dict[str, str]:
    return {"name": place.model, "version": place.version}


def _document(body: bytes) -> dict[str, Any]:
    return object_in(body) if body.strip() else {}


def _number(value: bytes | None) -> int | None:
    if value is None:
        return None
    if not value.isdigit() or len(value) > 12:
        raise HttpError(400, "Inference-Header-Content-Length must be the number of bytes of the JSON")
    return int(value)


def _yes(found: bool, sentence: str) -> Reply:
    if not found:
        raise HttpError(503, sentence, (b"retry-after", b"1"))
    return EMPTY
