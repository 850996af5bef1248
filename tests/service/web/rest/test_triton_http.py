"""An unchanged tritonclient for HTTP does all of its calls, by its default settings."""

import asyncio

import numpy as np
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as aio
from tritonclient.utils import InferenceServerException

from tests.patience import eventually
from tests.service.harness import STROKE, assert_same_answer, expected
from tests.service.tiny_model import publish

KINDS = {np.dtype(np.uint8): "UINT8", np.dtype(np.float32): "FP32", np.dtype(object): "BYTES"}


def tensor(array: np.ndarray, *, binary: bool = True) -> triton.InferInput:
    found = triton.InferInput("image", list(array.shape), KINDS[array.dtype])
    return found.set_data_from_numpy(array, binary_data=binary)


@pytest.fixture
def client(web_server):
    with triton.InferenceServerClient(web_server.address) as found:
        yield found


def test_it_asks_for_health(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("mnist")
    assert client.is_model_ready("mnist", "1")
    assert not client.is_model_ready("mnist", "2")
    assert not client.is_model_ready("other")


def test_it_asks_what_is_served(client):
    assert client.get_server_metadata()["name"] == "numeral"
    assert client.get_model_metadata("mnist")["versions"] == ["1"]
    assert client.get_model_metadata("mnist", "1")["inputs"][0]["name"] == "image"
    assert client.get_model_config("mnist")["max_batch_size"] == 1024
    assert client.get_model_config("mnist", "1")["input"][0]["dims"] == [784]
    assert client.get_model_repository_index() == [{"name": "mnist", "version": "1", "state": "READY", "reason": ""}]


def test_it_infers_by_default_settings(client, repository, pixels):
    answer = client.infer("mnist", [tensor(pixels[np.newaxis])])
    assert_same_answer(answer.as_numpy("probabilities")[0], expected(repository, 1, pixels))
    assert answer.as_numpy("digit").dtype == np.int64
    assert answer.get_response()["model_version"] == "1"


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_it_infers_in_each_form_and_type(client, repository, pixels, binary, dtype):
    images = np.stack([pixels, STROKE]).reshape(2, 784).astype(dtype)
    wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("digit", "probabilities")]
    answer = client.infer("mnist", [tensor(images, binary=binary)], outputs=wanted, request_id="7", model_version="1")
    assert answer.get_response()["id"] == "7"
    assert answer.as_numpy("probabilities").shape == (2, 10)
    assert_same_answer(answer.as_numpy("probabilities")[0], expected(repository, 1, pixels))


def test_it_sends_encoded_pictures(client, png):
    answer = client.infer("mnist", [tensor(np.array([png, png], object))])
    assert answer.as_numpy("digit").shape == (2,)


@pytest.mark.parametrize("request_compression", [None, "gzip", "deflate"])
@pytest.mark.parametrize("response_compression", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_it_compresses(client, pixels, request_compression, response_compression, binary):
    images = np.stack([pixels] * 200)
    answer = client.infer(
        "mnist",
        [tensor(images)],
        outputs=[triton.InferRequestedOutput("probabilities", binary_data=binary)],
        request_compression_algorithm=request_compression,
        response_compression_algorithm=response_compression,
    )
    assert answer.as_numpy("probabilities").shape == (200, 10)


@pytest.mark.parametrize("binary", [True, False])
def test_it_asks_for_classes(client, pixels, binary):
    wanted = [triton.InferRequestedOutput("probabilities", binary_data=binary, class_count=3)]
    answer = client.infer("mnist", [tensor(pixels[np.newaxis])], outputs=wanted)
    assert answer.as_numpy("probabilities").shape == (1, 3)


def test_it_infers_with_many_connections_at_once(web_server, repository, pixels):
    images = [np.roll(pixels, shift, axis=1) for shift in range(28)]
    with triton.InferenceServerClient(web_server.address, concurrency=16) as client:
        asked = [client.async_infer("mnist", [tensor(image[np.newaxis])], request_id=str(at))
                 for at, image in enumerate(images)]  # fmt: skip
        answers = [each.get_result() for each in asked]
    for at, (answer, image) in enumerate(zip(answers, images, strict=True)):
        assert answer.get_response()["id"] == str(at)
        assert_same_answer(answer.as_numpy("probabilities")[0], expected(repository, 1, image))


def test_its_parameters_are_passed_on(client, pixels):
    one = [tensor(pixels[np.newaxis])]
    assert client.infer("mnist", one, timeout=60_000_000, parameters={"mine": "x"}).as_numpy("digit").shape == (1,)
    with pytest.raises(InferenceServerException, match="leave it out"):
        client.infer("mnist", one, sequence_id=5, sequence_start=True)
    with pytest.raises(InferenceServerException, match="no levels of priority"):
        client.infer("mnist", one, priority=1)


def test_it_reads_errors_and_goes_on(client, pixels):
    wrong = tensor(np.zeros((1, 785), np.uint8))
    for _ in range(3):
        with pytest.raises(InferenceServerException, match=r"\[400\].*785"):
            client.infer("mnist", [wrong])
        with pytest.raises(InferenceServerException, match=r"\[404\]"):
            client.infer("mnist", [tensor(pixels[np.newaxis])], model_version="9")
        with pytest.raises(InferenceServerException, match=r"\[404\]"):
            client.get_model_metadata("other")
        assert client.infer("mnist", [tensor(pixels[np.newaxis])]).as_numpy("digit").shape == (1,)


def test_it_reads_statistics(client, pixels):
    client.infer("mnist", [tensor(np.stack([pixels] * 4))])
    for found in (
        client.get_inference_statistics(),
        client.get_inference_statistics("mnist"),
        client.get_inference_statistics("mnist", "1"),
    ):
        assert found["model_stats"][0]["inference_count"] == 4


def test_it_loads_and_unloads(client, repository):
    publish(repository, seed=2, promote=False)
    client.unload_model("mnist")
    assert not client.is_server_ready()
    with pytest.raises(InferenceServerException, match=r"\[503\]"):
        client.infer("mnist", [tensor(STROKE[np.newaxis])])
    client.load_model("mnist")
    assert client.is_model_ready("mnist")
    eventually(lambda: len(client.get_model_repository_index()) == 2)
    client.load_model("mnist", config='{"version_policy": {"specific": {"versions": [2]}}}')
    assert client.is_model_ready("mnist", "2")
    with pytest.raises(InferenceServerException, match=r"\[400\].*parameter 'config' cannot be read"):
        client.load_model("mnist", config="{")


def test_what_there_is_not_is_refused_in_words(client):
    for call in (
        client.get_trace_settings,
        client.get_log_settings,
        client.get_system_shared_memory_status,
        client.get_cuda_shared_memory_status,
        client.unregister_system_shared_memory,
    ):
        with pytest.raises(InferenceServerException, match=r"\[404\] there is nothing at"):
            call()


def test_its_asyncio_client_does_the_same(web_server, pixels):
    async def calls() -> None:
        async with aio.InferenceServerClient(web_server.address) as client:
            assert await client.is_server_live()
            assert await client.is_model_ready("mnist")
            assert (await client.get_model_metadata("mnist"))["name"] == "mnist"
            images = tensor(np.stack([pixels] * 200))
            answers = await asyncio.gather(
                *(client.infer("mnist", [images], response_compression_algorithm="gzip") for _ in range(5))
            )
            assert [answer.as_numpy("digit").shape for answer in answers] == [(200,)] * 5

    asyncio.run(calls())
