"""Infer requests of one image that arrive while others are being answered go to the service together, in one call.

A call of gRPC costs both sides more than everything else that is done for a request, however little it holds. So while
calls are in flight, further requests wait for one of them to end, and are then sent as one batch. A lone request waits
for nothing.

The answers are those that each request would get alone: what is gathered are images whose scale does not depend on
others in their batch, that ask for the same outputs of the same version, for callers of the same token; and if a batch
is refused for what is in it, or if only some of its images were changed, its requests are asked again, each alone. Only
a refusal for load or quota is that of the whole batch.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple

import grpc

from protos.inference.open_inference_pb2 import ModelInferRequest, ModelInferResponse
from service.web.rest.http_error import HttpError

__all__ = ["Gathering", "key_of"]

PIXELS = 784
SHAPES = ([1, PIXELS], [1, 28, 28])

CALLS, BATCH = 2, 64
"""Calls in flight for requests that can be gathered, and the most requests in one."""

WAITING = 1024
"""Requests that may wait, like in the service itself."""

CHANGES = ("pixels_inverted", "pixels_scaled")
"""Parameters of an answer that count images of the whole batch."""

Metadata = tuple[tuple[str, str], ...]
Infer = Callable[[ModelInferRequest, Metadata], Awaitable[ModelInferResponse]]
Key = tuple[object, ...]


def key_of(request: ModelInferRequest, metadata: Metadata) -> Key | None:
    """What requests that can be sent together have in common; None for one that is sent alone.

    Args:
        request: The request.
        metadata: What its call carries.
    """
    if len(request.inputs) != 1 or len(request.raw_input_contents) != 1 or request.parameters:
        return None
    image, raw = request.inputs[0], request.raw_input_contents[0]
    shape = list(image.shape)
    if image.datatype != "UINT8" or shape not in SHAPES or len(raw) != PIXELS or image.parameters:
        return None
    # Of pixels that are all 0 or 1, the service asks the rest of the batch whether 1 means ink.
    if not raw.strip(b"\0\1") or any(output.parameters for output in request.outputs):
        return None
    names = tuple(output.name for output in request.outputs)
    return (metadata, request.model_name, request.model_version, image.name, len(shape), names)


class _Waiting(NamedTuple):
    """A request that waits, until when it makes sense to ask, and the answer to it."""

    request: ModelInferRequest
    until: float
    answer: "asyncio.Future[ModelInferResponse]"


@dataclass
class _Lane:
    """Requests with the same key: how many calls are in flight, and what waits."""

    flying: int = 0
    waiting: deque[_Waiting] = field(default_factory=deque)


class Gathering:
    """Sends requests together that can be."""

    def __init__(self, infer: Infer, timeout: float) -> None:
        """Send nothing yet.

        Args:
            infer: Makes a call.
            timeout: Seconds that a request may wait for others.
        """
        self._infer, self._timeout = infer, timeout
        self._lanes: dict[Key, _Lane] = {}
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, request: ModelInferRequest, metadata: Metadata) -> ModelInferResponse:
        """The answer to a request.

        Raises:
            HttpError: Too many requests wait.
            grpc.aio.AioRpcError: The service refuses it.
        """
        key = key_of(request, metadata)
        if key is None:
            return await self._infer(request, metadata)
        lane = self._lanes.setdefault(key, _Lane())
        if lane.flying < CALLS:
            lane.flying += 1
            try:
                return await self._infer(request, metadata)
            finally:
                self._landed(key, lane, metadata)
        if self._waiting >= WAITING:
            raise HttpError(429, "too many requests wait already; call again in a moment", (b"retry-after", b"1"))
        answer: asyncio.Future[ModelInferResponse] = asyncio.get_running_loop().create_future()
        lane.waiting.append(_Waiting(request, monotonic() + self._timeout, answer))
        self._waiting += 1
        return await answer

    def _landed(self, key: Key, lane: _Lane, metadata: Metadata) -> None:
        """Take note that a call has ended, and send what waits."""
        lane.flying -= 1
        batch: list[_Waiting] = []
        while lane.waiting and len(batch) < BATCH:
            next_one = lane.waiting.popleft()
            self._waiting -= 1
            if next_one.answer.done():  # its client has gone
                continue
            if next_one.until < monotonic():
                next_one.answer.set_exception(HttpError(504, "the service gave no answer in time"))
                continue
            batch.append(next_one)
        if batch:
            lane.flying += 1
            task = asyncio.ensure_future(self._fly(key, lane, metadata, batch))
            self._tasks.add(task)  # the event loop itself keeps no task alive
            task.add_done_callback(self._tasks.discard)
        elif not lane.flying:
            del self._lanes[key]

    async def _fly(self, key: Key, lane: _Lane, metadata: Metadata, batch: Sequence[_Waiting]) -> None:
        found: Sequence[ModelInferResponse | BaseException]
        try:
            found = await self._together([each.request for each in batch], metadata)
        except BaseException as error:  # noqa: BLE001 — whatever it is, those who wait raise it
            found = [error] * len(batch)
        finally:
            self._landed(key, lane, metadata)
        for each, outcome in zip(batch, found, strict=True):
            if each.answer.done():
                continue
            if isinstance(outcome, BaseException):
                each.answer.set_exception(outcome)
            else:
                each.answer.set_result(outcome)

    async def _together(
        self, requests: Sequence[ModelInferRequest], metadata: Metadata
    ) -> Sequence[ModelInferResponse | BaseException]:
        """The answers to requests, or their errors."""
        if len(requests) > 1:
            try:
                response = await self._infer(_joined(requests), metadata)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.INVALID_ARGUMENT:
                    raise
            else:
                changed = [response.parameters[name].int64_param for name in CHANGES if name in response.parameters]
                if all(count == len(requests) for count in changed):
                    return _parted(response, requests)
        alone = (self._infer(request, metadata) for request in requests)
        return await asyncio.gather(*alone, return_exceptions=True)


def _joined(requests: Sequence[ModelInferRequest]) -> ModelInferRequest:
    """The request that asks for all of them."""
    first = requests[0]
    joined = ModelInferRequest(
        model_name=first.model_name,
        model_version=first.model_version,
        outputs=first.outputs,
        raw_input_contents=[b"".join(request.raw_input_contents[0] for request in requests)],
    )
    image = first.inputs[0]
    joined.inputs.add(name=image.name, datatype=image.datatype, shape=[len(requests), *image.shape[1:]])
    return joined


def _parted(response: ModelInferResponse, requests: Sequence[ModelInferRequest]) -> Sequence[ModelInferResponse]:
    """The answer to each request."""
    count = len(requests)
    sizes = [len(raw) // count for raw in response.raw_output_contents]
    one = ModelInferResponse(model_name=response.model_name, model_version=response.model_version)
    for name, value in response.parameters.items():
        one.parameters[name].CopyFrom(value)
        if name in CHANGES:
            one.parameters[name].int64_param = 1
    for output in response.outputs:
        one.outputs.add(name=output.name, datatype=output.datatype, shape=[1, *output.shape[1:]])
    parted = []
    for index, request in enumerate(requests):
        each = ModelInferResponse()
        each.CopyFrom(one)
        each.id = request.id
        each.raw_output_contents.extend(
            raw[index * size : (index + 1) * size]
            for raw, size in zip(response.raw_output_contents, sizes, strict=True)
        )
        parted.append(each)
    return parted
