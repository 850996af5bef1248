"""The Open Inference Protocol over gRPC, by its own messages: answers, statuses, streams, the repository."""

import asyncio
import struct

import grpc
import numpy as np
import pytest
from PIL import Image

from core.imaging import digit_from_bytes
from protos.inference import open_inference_pb2 as pb
from protos.inference.open_inference_pb2_grpc import GRPCInferenceServiceStub
from service.api.inference import inputs
from service.api.requests import MOST_REQUESTS
from service.recognition.recognize import Recognition
from tests.patience import eventually
from tests.service.harness import STROKE, assert_same_answer, encoded, expected
from tests.service.tiny_model import damage, publish, weights_file

ONE = STROKE.tobytes()
BLANK = encoded(Image.new("L", (60, 60), 255))


@pytest.fixture
def call():
    """Call a method by its name at an address, with a message's fields."""
    channels = []

    def calling(address, method, request):
        channels.append(grpc.insecure_channel(address, options=[("grpc.max_send_message_length", -1)]))
        return getattr(GRPCInferenceServiceStub(channels[-1]), method)(request, timeout=60)

    yield calling
    for channel in channels:
        channel.close()


def asking(raw: bytes | None = None, shape=(1, 784), datatype="UINT8", **fields) -> pb.ModelInferRequest:
    tensor = pb.ModelInferRequest.InferInputTensor(name="image", datatype=datatype, shape=shape)
    contents = {"raw_input_contents": [raw]} if raw is not None else {}
    return pb.ModelInferRequest(**({"model_name": "mnist", "inputs": [tensor]} | contents | fields))


def probabilities(response: pb.ModelInferResponse) -> np.ndarray:
    index = [output.name for output in response.outputs].index("probabilities")
    return np.frombuffer(response.raw_output_contents[index], "<f4").reshape(response.outputs[index].shape)


def failure(call, *arguments) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments)
    return caught.value.code(), caught.value.details()


def test_an_answer_names_its_request_its_version_and_its_weights(repository, folder, serve, call, pixels):
    publish(repository, seed=1)
    response = call(serve(folder).address, "ModelInfer", asking(pixels.tobytes(), id="seven"))
    assert_same_answer(probabilities(response)[0], expected(repository, 1, pixels))
    assert (response.model_name, response.model_version, response.id) == ("mnist", "1", "seven")
    digest = repository.manifest(1).files["weights.safetensors"].sha256
    assert response.parameters["weights_sha256"].string_param == digest
    digit = struct.unpack("<q", response.raw_output_contents[1])[0]
    assert digit == np.argmax(expected(repository, 1, pixels))


def test_typed_contents_get_the_same_answer_as_raw_contents(repository, folder, serve, call, pixels, png):
    publish(repository, seed=1)
    address = serve(folder).address
    typed = {"UINT8": "uint_contents", "FP32": "fp32_contents"}
    for datatype, field in typed.items():
        asked = asking(datatype=datatype, shape=(1, 28, 28))
        getattr(asked.inputs[0].contents, field).extend(pixels.ravel())
        answer = probabilities(call(address, "ModelInfer", asked))
        assert_same_answer(answer[0], expected(repository, 1, pixels))
    asked = asking(datatype="BYTES", shape=(2,))
    asked.inputs[0].contents.bytes_contents.extend([png, png])
    answer = probabilities(call(address, "ModelInfer", asked))
    assert answer.shape == (2, 10)
    assert_same_answer(answer[1], expected(repository, 1, digit_from_bytes(png)))


def test_the_largest_batch_is_answered_in_every_datatype_and_a_larger_one_refused(repository, folder, serve, call):
    publish(repository, seed=1)
    address = serve(folder, max_batch=40, max_picture_bytes=1024).address
    for datatype, dtype in (("UINT8", "u1"), ("FP32", "<f4")):
        full = asking(np.tile(STROKE, (40, 1)).astype(dtype).tobytes(), (40, 784), datatype)
        assert probabilities(call(address, "ModelInfer", full)).shape == (40, 10)
    code, sentence = failure(call, address, "ModelInfer", asking(bytes(41 * 784), (41, 784)))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "41 pictures, expected 1 to 40" in sentence


def test_a_picture_that_cannot_be_read_is_named_by_its_position(repository, folder, serve, call, png):
    publish(repository, seed=1)
    pictures = [png, BLANK, b"hello"]
    raw = b"".join(struct.pack("<I", len(picture)) + picture for picture in pictures)
    code, sentence = failure(call, serve(folder).address, "ModelInfer", asking(raw, (3,), "BYTES"))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "element 1 of 3" in sentence
    assert "1 more" in sentence


def test_malformed_requests_are_invalid_arguments_with_an_explanation(repository, folder, serve, call):
    publish(repository, seed=1)
    address = serve(folder).address
    malformed = {
        "no input": asking(inputs=[]),
        "786 bytes": asking(bytes(786)),
        "'logits'": asking(ONE, outputs=[pb.ModelInferRequest.InferRequestedOutputTensor(name="logits")]),
    }
    for words, asked in malformed.items():
        code, sentence = failure(call, address, "ModelInfer", asked)
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert words in sentence


@pytest.fixture
def three(repository, folder):
    """Versions 1 and 3 are valid, 2 is damaged; 3 is the champion."""
    for seed in (1, 2, 3):
        publish(repository, seed=seed)
    damage(weights_file(folder, 2))
    return repository


def test_a_version_is_chosen_by_number_by_alias_or_by_the_policy(three, folder, serve, call, pixels):
    address = serve(folder, serve_also="1").address
    eventually(lambda: call(address, "ModelReady", pb.ModelReadyRequest(name="mnist", version="1")).ready)
    for wanted, version in (("1", 1), ("3", 3), ("champion", 3), ("", 3)):
        response = call(address, "ModelInfer", asking(pixels.tobytes(), model_version=wanted))
        assert response.model_version == str(version)
        assert_same_answer(probabilities(response)[0], expected(three, version, pixels))


@pytest.mark.parametrize(
    ("method", "message", "field"),
    [
        ("ModelReady", pb.ModelReadyRequest, "name"),
        ("ModelMetadata", pb.ModelMetadataRequest, "name"),
        ("ModelConfig", pb.ModelConfigRequest, "name"),
        ("ModelStatistics", pb.ModelStatisticsRequest, "name"),
        ("ModelInfer", asking, "model_name"),
        ("RepositoryModelLoad", pb.RepositoryModelLoadRequest, "model_name"),
        ("RepositoryModelUnload", pb.RepositoryModelUnloadRequest, "model_name"),
    ],
)
def test_an_unknown_model_is_not_found(three, folder, serve, call, method, message, field):
    code, sentence = failure(call, serve(folder).address, method, message(**{field: "cats"}))
    assert code is grpc.StatusCode.NOT_FOUND
    assert "'cats'" in sentence


def test_an_unknown_version_is_not_found_and_one_that_is_not_loaded_unavailable(three, folder, serve, call):
    address = serve(folder, serve_also="2").address
    for wanted in ("9", "challenger"):
        ready = pb.ModelReadyRequest(name="mnist", version=wanted)
        assert failure(call, address, "ModelReady", ready)[0] is grpc.StatusCode.NOT_FOUND
        asked = asking(ONE, model_version=wanted)
        assert failure(call, address, "ModelInfer", asked)[0] is grpc.StatusCode.NOT_FOUND
    for wanted in ("1", "2"):
        assert not call(address, "ModelReady", pb.ModelReadyRequest(name="mnist", version=wanted)).ready
        asked = asking(ONE, model_version=wanted)
        assert failure(call, address, "ModelInfer", asked)[0] is grpc.StatusCode.UNAVAILABLE
        config = pb.ModelConfigRequest(name="mnist", version=wanted)
        assert failure(call, address, "ModelConfig", config)[0] is grpc.StatusCode.UNAVAILABLE


def test_the_index_lists_every_version_with_its_state_and_reason(three, folder, serve, call):
    address = serve(folder, serve_also="2").address

    def index(**fields):
        models = call(address, "RepositoryIndex", pb.RepositoryIndexRequest(**fields)).models
        return {model.version: (model.state, model.reason) for model in models}

    eventually(lambda: "sha256" in index()["2"][1])
    assert {version: state for version, (state, _) in index().items()} == {
        "1": "UNAVAILABLE",
        "2": "UNAVAILABLE",
        "3": "READY",
    }
    assert index(ready=True) == {"3": ("READY", "")}
    assert failure(call, address, "RepositoryIndex", pb.RepositoryIndexRequest(repository_name="other"))[0] is (
        grpc.StatusCode.INVALID_ARGUMENT
    )


def named(version: str) -> dict[str, pb.ModelRepositoryParameter]:
    return {"version": pb.ModelRepositoryParameter(string_param=version)}


def test_an_operator_can_load_and_unload_a_version(three, folder, serve, call):
    address = serve(folder).address
    call(address, "RepositoryModelLoad", pb.RepositoryModelLoadRequest(model_name="mnist", parameters=named("1")))
    assert call(address, "ModelInfer", asking(ONE, model_version="1")).model_version == "1"
    call(address, "RepositoryModelUnload", pb.RepositoryModelUnloadRequest(model_name="mnist", parameters=named("1")))
    assert not call(address, "ModelReady", pb.ModelReadyRequest(name="mnist", version="1")).ready
    assert call(address, "ModelInfer", asking(ONE)).model_version == "3"


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({"version": pb.ModelRepositoryParameter(int64_param=1)}, id="a number"),
        pytest.param({"file:1/model.py": pb.ModelRepositoryParameter(bytes_param=b"x")}, id="a file"),
        pytest.param({"config": pb.ModelRepositoryParameter(string_param="{")}, id="no JSON"),
        pytest.param({"config": pb.ModelRepositoryParameter(string_param="[" * 100_000)}, id="deep JSON"),
        pytest.param({"config": pb.ModelRepositoryParameter(string_param="{}")}, id="nothing"),
        pytest.param({"config": pb.ModelRepositoryParameter(string_param='{"backend": "x"}')}, id="another field"),
        pytest.param({"config": pb.ModelRepositoryParameter(string_param='{"backends": "x"}')}, id="no field"),
    ],
)
def test_requests_to_load_or_unload_with_other_parameters_are_refused(three, folder, serve, call, parameters):
    asked = pb.RepositoryModelLoadRequest(model_name="mnist", parameters=parameters)
    code, sentence = failure(call, serve(folder).address, "RepositoryModelLoad", asked)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "parameter" in sentence


def test_before_a_version_is_loaded_the_server_is_live_but_not_ready(folder, serve, call):
    address = serve(folder).address
    assert call(address, "ServerLive", pb.ServerLiveRequest()).live
    assert not call(address, "ServerReady", pb.ServerReadyRequest()).ready
    assert failure(call, address, "ModelInfer", asking(ONE))[0] is grpc.StatusCode.UNAVAILABLE
    code, _ = failure(call, address, "ModelInfer", asking(bytes(785)))
    assert code is grpc.StatusCode.INVALID_ARGUMENT


# streams


def test_a_stream_answers_in_order_and_continues_after_an_error(repository, folder, serve, call, pixels):
    publish(repository, seed=1)
    size = {number: 785 if number % 5 == 3 else 784 for number in range(3 * MOST_REQUESTS)}
    requests = (asking((ONE + b"\0")[:count], id=str(number)) for number, count in size.items())
    responses = list(call(serve(folder).address, "ModelStreamInfer", requests))
    assert [response.infer_response.id for response in responses] == [str(number) for number in size]
    for number, response in enumerate(responses):
        answer = response.infer_response
        assert answer.parameters["triton_final_response"].bool_param
        if size[number] == 784:
            assert response.error_message == ""
            assert answer.model_version == "1"
        else:
            assert "785 bytes, expected 784" in response.error_message
            assert answer.parameters["status"].string_param == "INVALID_ARGUMENT"
            assert not answer.outputs


def test_a_timeout_in_a_stream_ends_its_own_request_alone(repository, folder, serve, call, png):
    publish(repository, seed=1)
    hopeless = asking(shape=(20,), datatype="BYTES", raw_input_contents=[(struct.pack("<I", len(png)) + png) * 20])
    hopeless.parameters["timeout"].int64_param = 1
    requests = [asking(ONE, id="a"), hopeless, asking(ONE, id="b")]
    first, expired, last = call(serve(folder).address, "ModelStreamInfer", iter(requests))
    assert expired.infer_response.parameters["status"].string_param == "DEADLINE_EXCEEDED"
    assert (first.infer_response.id, last.infer_response.id) == ("a", "b")
    assert not first.error_message
    assert not last.error_message


def test_a_stream_is_answered_while_it_is_still_open(repository, folder, serve, call, pixels):
    """The client sends its next request only once it has the answer to the one before."""
    publish(repository, seed=1)
    address = serve(folder).address

    async def talk() -> list[str]:
        async with grpc.aio.insecure_channel(address) as channel:
            stream = GRPCInferenceServiceStub(channel).ModelStreamInfer(timeout=60)
            found = []
            for number in range(3):
                await stream.write(asking(pixels.tobytes(), id=str(number)))
                found.append((await stream.read()).infer_response.id)
            await stream.done_writing()
            assert await stream.read() is grpc.aio.EOF
            return found

    assert asyncio.run(talk()) == ["0", "1", "2"]


def test_requests_of_a_stream_are_in_flight_at_the_same_time(repository, folder, serve, call, png, monkeypatch):
    """The first is answered only once the second has arrived: that must not take its answer."""
    publish(repository, seed=1)
    arrived = []
    both = asyncio.Event()
    answer = inputs.pictures_of

    def counting(request, **options):
        arrived.append(request.id)
        if len(arrived) == 2:
            both.set()
        return answer(request, **options)

    images = Recognition.images

    async def waiting(self, *arguments, **options):
        await both.wait()
        return await images(self, *arguments, **options)

    monkeypatch.setattr(inputs, "pictures_of", counting)
    monkeypatch.setattr(Recognition, "images", waiting)
    requests = (asking(ONE, id=str(number)) for number in range(2))
    responses = list(call(serve(folder).address, "ModelStreamInfer", requests))
    assert [response.infer_response.id for response in responses] == ["0", "1"]


def test_an_unforeseen_error_in_a_stream_is_logged_but_not_sent(repository, folder, serve, call, monkeypatch, caplog):
    publish(repository, seed=1)
    address = serve(folder).address

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(inputs, "pictures_of", fail)
    (response,) = call(address, "ModelStreamInfer", iter([asking(ONE)]))
    assert response.error_message == "internal error"
    assert "a secret of the inside" in caplog.text


def test_a_stream_that_ends_with_malformed_bytes_is_answered_up_to_them(repository, folder, serve):
    publish(repository, seed=1)
    with grpc.insecure_channel(serve(folder).address) as channel:
        stream = channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")
        responses = stream(iter([asking(ONE, id="a").SerializeToString(), b"\xff\xff\xff"]), timeout=60)
        assert pb.ModelStreamInferResponse.FromString(next(responses)).infer_response.id == "a"
        with pytest.raises(grpc.RpcError) as caught:
            next(responses)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


# statistics


def test_statistics_count_requests_batches_and_failures(repository, folder, serve, call, png):
    publish(repository, seed=1)
    address = serve(folder).address
    raw = struct.pack("<I", len(png)) + png
    for asked in (asking(3 * ONE, (3, 784)), asking(ONE), asking(raw, (1,), "BYTES")):
        call(address, "ModelInfer", asked)
    failure(call, address, "ModelInfer", asking(bytes(785)))
    failure(call, address, "ModelInfer", asking(bytes(785), model_version="nobody"))
    for wanted in ({}, {"name": "mnist"}, {"name": "mnist", "version": "1"}, {"version": "champion"}):
        (found,) = call(address, "ModelStatistics", pb.ModelStatisticsRequest(**wanted)).model_stats
        assert (found.name, found.version) == ("mnist", "1")
        assert (found.inference_count, found.execution_count) == (5, 3)
        assert found.last_inference > 1_700_000_000_000
        stats = found.inference_stats
        assert (stats.success.count, stats.fail.count) == (3, 1)
        parts = (stats.queue, stats.compute_input, stats.compute_infer, stats.compute_output)
        assert [part.count for part in parts] == [3] * 4
        assert 0 < sum(part.ns for part in parts) <= stats.success.ns
        sizes = {batch.batch_size: batch.compute_infer.count for batch in found.batch_stats}
        assert sizes == {1: 2, 3: 1}
    assert failure(call, address, "ModelStatistics", pb.ModelStatisticsRequest(version="9"))[0] is (
        grpc.StatusCode.NOT_FOUND
    )


def test_an_idle_stream_ends_when_the_server_stops(repository, folder, serve):
    """Otherwise it would delay the stop until the time to drain is over."""
    publish(repository, seed=1)
    server = serve(folder, drain_seconds=300)  # longer than a test may take

    async def talk() -> list[grpc.StatusCode]:
        async with grpc.aio.insecure_channel(server.address) as channel:
            stream = GRPCInferenceServiceStub(channel).ModelStreamInfer(timeout=200)
            await stream.write(asking(ONE))
            assert (await stream.read()).infer_response.model_version == "1"
            server.stop()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stream.read()
            return [caught.value.code(), await stream.code()]

    assert asyncio.run(talk()) == [grpc.StatusCode.UNAVAILABLE] * 2
