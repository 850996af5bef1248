"""The servicer of the Open Inference Protocol: it converts, calls and converts back, and decides nothing."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from time import perf_counter_ns
from typing import Any

import grpc

from core.artifact.repository import MODEL
from core.command_line import software_version
from core.errors import PictureError
from core.imaging import Corrected
from protos.inference import open_inference_pb2 as pb
from protos.inference import open_inference_pb2_grpc
from service.api.inference import control_requests, describe, inputs, outputs, parameters
from service.api.inference.in_order import in_order
from service.api.inference.tensors import IMAGE
from service.api.status import status_of
from service.api.text_limits import LONGEST_TEXT, check_texts
from service.call import within
from service.errors import InferRequestError, UnknownModelError, UnknownVersionError
from service.loaded import label
from service.recognition.answer import Answer
from service.recognition.recognize import Recognition
from service.telemetry.statistics import Parts, Statistics
from service.texts import quoted

__all__ = ["InferenceServicer"]

_log = logging.getLogger(__name__)

_Context = grpc.aio.ServicerContext[Any, Any]


class InferenceServicer(open_inference_pb2_grpc.GRPCInferenceServiceServicer):
    """inference.GRPCInferenceService, see the .proto file."""

    def __init__(
        self,
        recognition: Recognition,
        statistics: Statistics,
        *,
        load: Callable[..., Awaitable[None]],
        unload: Callable[[str], Awaitable[None]],
        serving: Callable[[], bool],
        max_batch: int,
    ) -> None:
        """Answer calls.

        Args:
            recognition: Computes the answers.
            statistics: Counts requests; it must also be an observer of the recognition.
            load: Loads versions; see `service.versions.control.Control`.
            unload: Unloads a version, likewise.
            serving: Whether the server as a whole answers.
            max_batch: The most pictures in one request.
        """
        self._recognition = recognition
        self._store = recognition.store
        self._load, self._unload = load, unload
        self._statistics = statistics
        self._serving = serving
        self._max_batch = max_batch
        self._stopping = asyncio.Event()

    def drain(self) -> None:
        """Stop reading from streams: the requests that were read are answered, and then the streams end."""
        self._stopping.set()

    # what the server and the model are

    async def ServerLive(self, _request: pb.ServerLiveRequest, _context: _Context) -> pb.ServerLiveResponse:  # noqa: N802 — the names in the .proto file
        """Answer that the server is live."""
        return pb.ServerLiveResponse(live=True)

    async def ServerReady(self, _request: pb.ServerReadyRequest, _context: _Context) -> pb.ServerReadyResponse:  # noqa: N802
        """Tell whether ModelInfer would be answered."""
        return pb.ServerReadyResponse(ready=self._serving() and self._store.ready())

    async def ModelReady(self, request: pb.ModelReadyRequest, _context: _Context) -> pb.ModelReadyResponse:  # noqa: N802
        """Tell whether ModelInfer would be answered by a version."""
        _check_name(request.name)
        return pb.ModelReadyResponse(ready=self._store.ready(request.version) and self._serving())

    async def ServerMetadata(self, _request: pb.ServerMetadataRequest, _context: _Context) -> pb.ServerMetadataResponse:  # noqa: N802
        """Describe the server."""
        return pb.ServerMetadataResponse(name="numeral", version=software_version(), extensions=describe.EXTENSIONS)

    async def ModelMetadata(self, request: pb.ModelMetadataRequest, _context: _Context) -> pb.ModelMetadataResponse:  # noqa: N802
        """Describe the input and the outputs of a version."""
        _check_name(request.name)
        return describe.metadata(self._store.choose(request.version), self._ready())

    async def ModelConfig(self, request: pb.ModelConfigRequest, _context: _Context) -> pb.ModelConfigResponse:  # noqa: N802
        """Give the configuration of a version."""
        _check_name(request.name)
        loaded = self._store.choose(request.version)
        return pb.ModelConfigResponse(config=describe.config(loaded, self._ready(), self._max_batch))

    # inference

    async def ModelInfer(self, request: pb.ModelInferRequest, _context: _Context) -> pb.ModelInferResponse:  # noqa: N802
        """Recognize the digits in pictures."""
        return await self._counted(request, alone=True)

    async def _counted(self, request: pb.ModelInferRequest, *, alone: bool) -> pb.ModelInferResponse:
        """Answer a request, and count it; `alone` if it is a call of its own rather than part of a stream."""
        start = perf_counter_ns()
        try:
            seconds = parameters.timeout_of(request.parameters)
            if seconds is None:
                return await self._infer(request, start, alone=alone)
            async with within(seconds):
                return await self._infer(request, start, alone=alone)
        except Exception:
            self._failed(request, perf_counter_ns() - start)
            raise

    async def ModelStreamInfer(  # noqa: N802
        self, requests: AsyncIterator[pb.ModelInferRequest], _context: _Context
    ) -> AsyncGenerator[pb.ModelStreamInferResponse, None]:
        """Recognize the digits in a stream of requests. The error of one request is the response to it."""

        async def answer(request: pb.ModelInferRequest) -> pb.ModelStreamInferResponse:
            try:
                check_texts(request, request.ByteSize())
                response = await self._counted(request, alone=False)
            except Exception as error:  # noqa: BLE001 — the last place to log it; the stream continues
                return _stream_error(request, error)
            response.parameters["triton_final_response"].bool_param = True
            return pb.ModelStreamInferResponse(infer_response=response)

        async with aclosing(in_order(requests, answer, self._stopping)) as responses:
            async for response in responses:
                yield response

    async def _infer(self, request: pb.ModelInferRequest, start: int, *, alone: bool) -> pb.ModelInferResponse:
        _check_name(request.model_name)
        wanted = outputs.wanted_of(request)
        pictures = inputs.pictures_of(request, max_batch=self._max_batch)
        converted = perf_counter_ns()
        answer = await self._answer(pictures, request.model_version, alone=alone)
        answered = perf_counter_ns()
        loaded = answer.loaded
        response = pb.ModelInferResponse(model_name=MODEL, model_version=loaded.version, id=request.id)
        outputs.put_outputs(response, answer, wanted)
        response.parameters["weights_sha256"].string_param = loaded.weights_sha256
        if not isinstance(pictures, list):
            outputs.put_changes(response, pictures)
        end = perf_counter_ns()
        infer = min(self._statistics.latest(loaded.version), answered - converted)
        waited = answered - converted - infer
        # For encoded pictures, this is the time that decoding took.
        queue, decoding = (0, waited) if isinstance(pictures, list) else (waited, 0)
        parts = Parts(queue, converted - start + decoding, infer, end - answered)
        self._statistics.succeeded(loaded.version, parts, end - start)
        return response

    async def _answer(self, pictures: Corrected | list[bytes], wanted: str, *, alone: bool) -> Answer:
        if not isinstance(pictures, list):
            ask = self._recognition.call if alone else self._recognition.images
            return await ask(pictures.images, wanted=wanted)
        answer, found = await self._recognition.encoded(pictures, wanted=wanted)
        errors = [(index, item) for index, item in enumerate(found) if isinstance(item, PictureError)]
        if errors:
            raise _picture_error(errors, len(pictures))
        return answer

    def _failed(self, request: pb.ModelInferRequest, nanoseconds: int) -> None:
        """Count a failed request for the version that it asked for, if there is one."""
        active = self._store.active()
        with suppress(UnknownVersionError):
            if request.model_version:
                self._statistics.unanswered(label(self._store.number(request.model_version)), nanoseconds)
            elif active:
                self._statistics.unanswered(active.version, nanoseconds)

    # statistics

    async def ModelStatistics(  # noqa: N802
        self, request: pb.ModelStatisticsRequest, _context: _Context
    ) -> pb.ModelStatisticsResponse:
        """Give the statistics of the version that is named, or of all that are ready."""
        if request.name:
            _check_name(request.name)
        versions = [label(self._store.number(request.version))] if request.version else self._ready()
        return pb.ModelStatisticsResponse(
            model_stats=[describe.statistics(version, self._statistics.of(version)) for version in versions]
        )

    # repository control

    async def RepositoryIndex(  # noqa: N802
        self, request: pb.RepositoryIndexRequest, _context: _Context
    ) -> pb.RepositoryIndexResponse:
        """List every known version with its state."""
        _check_repository(request.repository_name)
        index = pb.RepositoryIndexResponse.ModelIndex
        return pb.RepositoryIndexResponse(
            models=[
                index(name=MODEL, version=status.version, state=status.state, reason=status.reason)
                for status in self._store.index()
                if status.state == "READY" or not request.ready
            ]
        )

    async def RepositoryModelLoad(  # noqa: N802
        self, request: pb.RepositoryModelLoadRequest, _context: _Context
    ) -> pb.RepositoryModelLoadResponse:
        """Load versions beside those that the policy serves; if none is named, serve again what the policy says."""
        _check_repository(request.repository_name)
        _check_name(request.model_name)
        await self._load(*control_requests.versions_to_load(request.parameters, self._store.published()))
        return pb.RepositoryModelLoadResponse()

    async def RepositoryModelUnload(  # noqa: N802
        self, request: pb.RepositoryModelUnloadRequest, _context: _Context
    ) -> pb.RepositoryModelUnloadResponse:
        """Unload a version; if none is named, the model as a whole."""
        _check_repository(request.repository_name)
        _check_name(request.model_name)
        await self._unload(control_requests.version_to_unload(request.parameters))
        return pb.RepositoryModelUnloadResponse()

    def _ready(self) -> list[str]:
        return [status.version for status in self._store.index() if status.state == "READY"]


def _check_name(name: str) -> None:
    if name != MODEL:
        raise UnknownModelError(f"no model {quoted(name)} here; the only one is {MODEL!r}")


def _check_repository(name: str) -> None:
    if name:
        raise InferRequestError(f"no repository {quoted(name)}: there is only one here, which has no name")


def _picture_error(found: list[tuple[int, PictureError]], count: int) -> PictureError:
    index, first = found[0]
    more = f" (and {len(found) - 1} more cannot be read)" if len(found) > 1 else ""
    return type(first)(f"input {IMAGE!r}, element {index} of {count}: {first}{more}")


def _stream_error(request: pb.ModelInferRequest, error: Exception) -> pb.ModelStreamInferResponse:
    code, sentence = status_of(error)
    if code is grpc.StatusCode.INTERNAL:
        _log.error("a request in a stream failed for an unforeseen reason", exc_info=error)
    about = pb.ModelInferResponse(model_name=request.model_name[:LONGEST_TEXT], id=request.id[:LONGEST_TEXT])
    about.parameters["status"].string_param = code.name
    about.parameters["triton_final_response"].bool_param = True
    return pb.ModelStreamInferResponse(error_message=sentence, infer_response=about)
