"""Requests that are sent to the service together are answered as if each had been sent alone."""

import asyncio
import json

import grpc
import numpy as np
import pytest

from protos.inference.open_inference_pb2 import ModelInferRequest, ModelInferResponse
from service.web.rest import gathering
from service.web.rest.gathering import Gathering, key_of
from service.web.rest.http_error import HttpError
from tests.service.harness import STROKE, assert_same_answer, expected

OWN = (("authorization", "Bearer own"),)


def request(image: np.ndarray, *, name: str = "", **more: object) -> ModelInferRequest:
    found = ModelInferRequest(model_name="mnist", id=name, raw_input_contents=[image.tobytes()], **more)
    found.inputs.add(name="image", datatype="UINT8", shape=[1, *image.shape])
    return found


@pytest.fixture
def service_of(service):
    """Run a test with a real service: `service_of(test)`, in which `infer` makes real calls and `sizes` notes them."""

    def run(test):
        async def live():
            async with grpc.aio.insecure_channel(service.address) as channel:
                call = channel.unary_unary(
                    "/inference.GRPCInferenceService/ModelInfer",
                    request_serializer=ModelInferRequest.SerializeToString,
                    response_deserializer=ModelInferResponse.FromString,
                )
                sizes: list[int] = []

                async def infer(request, _metadata):
                    sizes.append(request.inputs[0].shape[0] if request.inputs else 0)
                    return await call(request, timeout=60)

                await test(infer, sizes)

        asyncio.run(live())

    return run


def test_requests_that_arrive_meanwhile_share_a_call_and_each_gets_its_answer(service_of, repository, pixels):
    async def test(infer, sizes):
        images = [np.roll(pixels, shift, axis=0) for shift in range(28)]
        ask = Gathering(infer, 60).ask
        answers = await asyncio.gather(*(ask(request(image, name=str(n)), OWN) for n, image in enumerate(images)))
        assert sizes == [1, 1, 26]
        for number, (answer, image) in enumerate(zip(answers, images, strict=True)):
            assert (answer.id, answer.model_version, list(answer.outputs[0].shape)) == (str(number), "1", [1, 10])
            found = np.frombuffer(answer.raw_output_contents[0], "<f4")
            assert_same_answer(found, expected(repository, 1, image))
            assert answer.parameters["weights_sha256"].string_param

    service_of(test)


def test_a_request_that_is_refused_fails_alone(service_of, pixels):
    async def test(infer, sizes):
        images = [pixels, pixels, pixels, np.full((28, 28), 7, np.uint8), pixels]
        ask = Gathering(infer, 60).ask
        found = await asyncio.gather(*(ask(request(image), OWN) for image in images), return_exceptions=True)
        assert [type(each) for each in found].count(ModelInferResponse) == 4
        assert found[3].code() is grpc.StatusCode.INVALID_ARGUMENT
        assert sizes == [1, 1, 3, 1, 1, 1]

    service_of(test)


def test_only_what_was_inverted_is_said_to_be(service_of):
    async def test(infer, sizes):
        ask = Gathering(infer, 60).ask
        images = [STROKE, STROKE, STROKE, 255 - STROKE, STROKE]
        found = await asyncio.gather(*(ask(request(image), OWN) for image in images))
        assert ["pixels_inverted" in each.parameters for each in found] == [False, False, False, True, False]
        images = [255 - STROKE] * 5
        found = await asyncio.gather(*(ask(request(image), OWN) for image in images))
        assert [each.parameters["pixels_inverted"].int64_param for each in found] == [1] * 5

    service_of(test)


def test_only_requests_with_the_same_key_share_a_call(pixels):
    usual = key_of(request(pixels), OWN)
    assert usual == key_of(request(np.roll(pixels, 1), name="another"), OWN)
    others = [
        key_of(request(pixels), ()),
        key_of(request(pixels.reshape(784)), OWN),
        key_of(request(pixels, model_version="2"), OWN),
        key_of(request(pixels, outputs=[{"name": "digit"}]), OWN),
    ]
    assert len({usual, *others}) == 5


def test_what_a_batch_could_change_is_sent_alone(pixels):
    classes = request(pixels)
    classes.outputs.add(name="probabilities").parameters["classification"].int64_param = 3
    hurried = request(pixels)
    hurried.parameters["timeout"].int64_param = 5
    floats = request(pixels)
    floats.inputs[0].datatype = "FP32"
    two = request(pixels)
    two.inputs[0].shape[0] = 2
    for alone in (classes, hurried, floats, two, request(pixels // 255), request(pixels[:5]), ModelInferRequest()):
        assert key_of(alone, OWN) is None


def test_an_outage_fails_all_that_wait_and_nothing_after(pixels):
    async def test():
        failing = True

        async def infer(request, _metadata):
            await asyncio.sleep(0)
            if failing:
                raise ConnectionError
            return ModelInferResponse(model_version="1")

        ask = Gathering(infer, 60).ask
        found = await asyncio.gather(*(ask(request(pixels), OWN) for _ in range(9)), return_exceptions=True)
        assert [type(each) for each in found] == [ConnectionError] * 9
        failing = False
        assert (await ask(request(pixels), OWN)).model_version == "1"

    asyncio.run(test())


def test_whoever_waits_too_long_or_with_too_many_is_refused(pixels, monkeypatch):
    monkeypatch.setattr(gathering, "WAITING", 3)

    async def test():
        go = asyncio.Event()

        async def infer(request, _metadata):
            await go.wait()
            return ModelInferResponse(model_version="1")

        ask = Gathering(infer, -1).ask
        asked = [asyncio.ensure_future(ask(request(pixels), OWN)) for _ in range(6)]
        await asyncio.sleep(0)
        go.set()
        found = await asyncio.gather(*asked, return_exceptions=True)
        statuses = [each.status if isinstance(each, HttpError) else 200 for each in found]
        assert statuses == [200, 200, 504, 504, 504, 429]

    asyncio.run(test())


def test_many_connections_get_the_right_answers(web_server, repository, pixels):
    from concurrent.futures import ThreadPoolExecutor

    from tests.service.web.rest.asking import INFER, asked, output, pixels_request

    def one(shift):
        image = np.roll(pixels, shift, axis=1)
        status, found = asked(web_server, "POST", INFER, pixels_request(image[np.newaxis], id=str(shift)))
        assert (status, found["id"]) == (200, str(shift))
        assert_same_answer(output(found, "probabilities"), expected(repository, 1, image))
        return json.dumps(found["outputs"])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(one, range(28)))) == 28
