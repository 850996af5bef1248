"""An unchanged tritonclient against a server; for processes that have not imported the service.

Both bring messages named `inference.…`, and one process can hold but one set of them: see the fixture `triton`. So each
function takes and returns plain values, and whatever goes wrong comes back as (status, sentence).
"""

import asyncio
import queue
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np
import tritonclient.grpc as grpcclient
import tritonclient.grpc.aio as aioclient
from tritonclient.grpc import model_config_pb2, service_pb2
from tritonclient.utils import InferenceServerException

Problem = tuple[str | None, str]


def tensor(array: np.ndarray, name: str = "image") -> grpcclient.InferInput:
    kinds = {np.dtype(np.uint8): "UINT8", np.dtype(np.float32): "FP32", np.dtype(object): "BYTES"}
    found = grpcclient.InferInput(name, list(array.shape), kinds[array.dtype])
    found.set_data_from_numpy(array)
    return found


def problems(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return what is raised: exceptions of tritonclient cannot be sent to another process."""

    @wraps(call)
    def calling(*arguments: Any, **options: Any) -> Any:
        try:
            return call(*arguments, **options)
        except InferenceServerException as error:
            return error.status(), error.message()

    return calling


def read(result: grpcclient.InferResult) -> dict[str, Any]:
    response = result.get_response()
    return {
        "outputs": {output.name: result.as_numpy(output.name) for output in response.outputs},
        "version": response.model_version,
        "id": response.id,
        "parameters": {
            name: getattr(value, value.WhichOneof("parameter_choice")) for name, value in response.parameters.items()
        },
    }


@problems
def ask(address: str, method: str, *arguments: Any, **options: Any) -> Any:
    """Any call that answers with a message or with a truth."""
    with grpcclient.InferenceServerClient(address) as client:
        return getattr(client, method)(*arguments, **options)


@problems
def infer(address: str, array: np.ndarray, outputs: Sequence[tuple[str, int]] = (), **options: Any) -> dict[str, Any]:
    """Ask for digits."""
    wanted = [grpcclient.InferRequestedOutput(name, class_count=classes) for name, classes in outputs]
    with grpcclient.InferenceServerClient(address) as client:
        return read(client.infer("mnist", [tensor(array)], outputs=wanted or None, **options))


@problems
def infer_later(address: str, arrays: Sequence[np.ndarray]) -> list[dict[str, Any]]:
    """Ask for all at once, each with a call of its own."""
    with grpcclient.InferenceServerClient(address) as client:
        answers: list[queue.Queue[Any]] = [queue.Queue() for _ in arrays]
        for array, answer in zip(arrays, answers, strict=True):
            client.async_infer("mnist", [tensor(array)], lambda result, error, to=answer: to.put(error or result))
        return [read(answer.get(timeout=60)) for answer in answers]


def stream(address: str, arrays: Sequence[np.ndarray]) -> list[Any]:
    """Infer in a stream; the error of a request takes the place of its answer."""
    answers: queue.Queue[Any] = queue.Queue()
    with grpcclient.InferenceServerClient(address) as client:
        client.start_stream(lambda result, error: answers.put(error.message() if error else read(result)))
        for number, array in enumerate(arrays):
            client.async_stream_infer("mnist", [tensor(array)], request_id=str(number))
        found = [answers.get(timeout=60) for _ in arrays]
        client.stop_stream()
    return found


def aio(address: str, array: np.ndarray) -> dict[str, Any]:
    """All calls of the client for asyncio."""

    async def calls() -> dict[str, Any]:
        async with aioclient.InferenceServerClient(address) as client:
            found: dict[str, Any] = {
                "live": await client.is_server_live(),
                "ready": await client.is_server_ready(),
                "model ready": await client.is_model_ready("mnist"),
                "server": (await client.get_server_metadata(as_json=True))["name"],
                "model": (await client.get_model_metadata("mnist", as_json=True))["name"],
                "config": (await client.get_model_config("mnist", as_json=True))["config"]["name"],
                "index": (await client.get_model_repository_index(as_json=True))["models"],
            }
            await client.unload_model("mnist")
            found["unloaded"] = not await client.is_model_ready("mnist")
            await client.load_model("mnist")
            found["infer"] = read(await client.infer("mnist", [tensor(array)]))

            async def requests() -> Any:
                for number in range(5):
                    yield {"model_name": "mnist", "inputs": [tensor(array)], "request_id": str(number)}

            found["stream"] = [read(result) async for result, _ in client.stream_infer(requests())]
            found["statistics"] = await client.get_inference_statistics("mnist", as_json=True)
            return found

    return asyncio.run(calls())


def descriptors() -> tuple[dict[str, dict[str, tuple[int, int, bool, str]]], dict[str, tuple[str, str]]]:
    """The messages and the calls that the client knows: see `tests.contract.wire`."""
    from tests.contract.wire import calls, fields

    return fields(service_pb2.DESCRIPTOR, model_config_pb2.DESCRIPTOR), calls(service_pb2.DESCRIPTOR)
