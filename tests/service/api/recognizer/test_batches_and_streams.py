"""Batches, streams, explanations and models over gRPC: the answers, and the errors of invalid requests."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from PIL import Image

from core.imaging import digit_from_bytes
from core.inference.predict import load
from protos.numeral.v1.recognizer_pb2 import (
    ExplainRequest,
    GetModelRequest,
    Picture,
    RecognizeBatchRequest,
    RecognizeRequest,
    RecognizeStreamRequest,
    SendFeedbackRequest,
)
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from tests.floats import assert_same_function
from tests.patience import eventually
from tests.service.harness import assert_same_answer, encoded, expected
from tests.service.tiny_model import publish

BLANK = encoded(Image.new("L", (60, 60), 255))
INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture
def stub(repository, folder, serve):
    publish(repository, seed=1)
    with grpc.insecure_channel(serve(folder).address) as channel:
        yield RecognizerStub(channel)


def refused(call, request) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=60)
    return caught.value.code(), caught.value.details()


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (28, 28), np.uint8)


# batches


def test_each_picture_of_a_batch_has_its_own_answer_or_error(stub, repository, png, pixels):
    pictures = [
        Picture(pixels=pixels.tobytes()),
        Picture(encoded=BLANK),
        Picture(encoded=png),
        Picture(pixels=bytes(7)),
        Picture(),
        Picture(pixels=noise(1).tobytes()),
    ]
    outcomes = stub.RecognizeBatch(RecognizeBatchRequest(pictures=pictures), timeout=60).outcomes
    assert [outcome.WhichOneof("outcome") for outcome in outcomes] == [
        *["answer", "problem", "answer", "problem", "problem", "answer"]
    ]
    for index, image in ((0, pixels), (2, digit_from_bytes(png)), (5, noise(1))):
        answer = outcomes[index].answer
        assert_same_answer(answer.probabilities, expected(repository, 1, image))
        assert answer.probabilities[answer.digit] == answer.confidence == max(answer.probabilities)
        assert answer.model_version == "1"
    problems = [outcomes[index].problem for index in (1, 3, 4)]
    assert [(problem.code, problem.kind) for problem in problems] == [
        (INVALID.value[0], "NoDigitError"),
        (INVALID.value[0], "PictureUnreadableError"),
        (INVALID.value[0], "PictureUnreadableError"),
    ]
    assert "784" in problems[1].message
    assert len({outcomes[index].answer.reply_id for index in (0, 2, 5)}) == 3


def batch_of(count: int, pixels: np.ndarray) -> RecognizeBatchRequest:
    return RecognizeBatchRequest(pictures=[Picture(pixels=pixels.tobytes())] * count)


@pytest.mark.parametrize("count", [0, 1025])
def test_a_batch_with_no_pictures_or_too_many_is_refused_with_the_limit(stub, count, pixels):
    code, sentence = refused(stub.RecognizeBatch, batch_of(count, pixels))
    assert code is INVALID
    assert sentence == f"a batch of {count:,} pictures; expected 1 to 1,024"


def test_the_largest_batch_is_answered(stub, pixels):
    assert len(stub.RecognizeBatch(batch_of(1024, pixels), timeout=30).outcomes) == 1024


def test_the_size_of_a_batch_can_be_limited_by_a_setting(repository, folder, serve, pixels):
    publish(repository, seed=1)
    with grpc.insecure_channel(serve(folder, max_batch=3).address) as channel:
        recognize_batch = RecognizerStub(channel).RecognizeBatch
        assert len(recognize_batch(batch_of(3, pixels), timeout=60).outcomes) == 3
        assert refused(recognize_batch, batch_of(4, pixels)) == (INVALID, "a batch of 4 pictures; expected 1 to 3")


# which version


def test_every_call_accepts_a_version_or_an_alias_and_refuses_unknown_ones(stub, pixels):
    data = pixels.tobytes()
    calls = [
        (stub.Recognize, RecognizeRequest, {"pixels": data}, lambda found: found.model_version),
        (
            stub.RecognizeBatch,
            RecognizeBatchRequest,
            {"pictures": [Picture(pixels=data)]},
            lambda found: found.outcomes[0].answer.model_version,
        ),
        (stub.Explain, ExplainRequest, {"pixels": data}, lambda found: found.answer.model_version),
        (stub.GetModel, GetModelRequest, {}, lambda found: found.model_version),
    ]
    for call, request, fields, version in calls:
        for wanted in ("", "1", "champion"):
            assert version(call(request(**fields, model_version=wanted), timeout=60)) == "1"
        code, sentence = refused(call, request(**fields, model_version="77"))
        assert code is grpc.StatusCode.NOT_FOUND
        assert "77" in sentence


# streams


def test_each_request_of_a_stream_has_its_own_outcome_in_order_with_its_id(stub, repository, png, pixels):
    requests = [
        RecognizeRequest(pixels=pixels.tobytes()),
        RecognizeRequest(encoded=BLANK),
        RecognizeRequest(encoded=png),
        RecognizeRequest(),
        RecognizeRequest(pixels=noise(1).tobytes(), model_version="77"),
        RecognizeRequest(pixels=noise(2).tobytes(), model_version="1"),
        RecognizeRequest(encoded=png, model_version="77"),
    ]
    messages = [RecognizeStreamRequest(request=request, id=f"n{n}") for n, request in enumerate(requests)]
    responses = list(stub.RecognizeStream(iter([*messages, RecognizeStreamRequest(id="empty")]), timeout=60))
    assert [response.id for response in responses] == [*(f"n{n}" for n in range(7)), "empty"]
    kinds = [response.outcome.problem.kind for response in responses]
    assert kinds == [
        *["", "NoDigitError", "", "PictureUnreadableError", "UnknownVersionError", "", "UnknownVersionError"],
        "PictureUnreadableError",
    ]
    assert responses[4].outcome.problem.code == grpc.StatusCode.NOT_FOUND.value[0]
    for index, image in ((0, pixels), (2, digit_from_bytes(png)), (5, noise(2))):
        found = responses[index].outcome.answer.probabilities
        assert_same_answer(found, expected(repository, 1, image))


def test_a_stream_answers_before_it_ends(stub, pixels):
    sent, more = [], threading.Semaphore(0)

    def requests():
        for n in range(3):
            more.acquire()
            sent.append(n)
            yield RecognizeStreamRequest(request=RecognizeRequest(pixels=pixels.tobytes()), id=str(n))

    responses = stub.RecognizeStream(requests(), timeout=60)
    for n in range(3):
        more.release()
        assert next(responses).id == str(n)
        assert len(sent) == n + 1


def test_a_long_stream_is_answered_in_order_each_answer_for_its_request(stub, repository):
    predictor, _ = load(repository, 1)
    images = np.stack([noise(seed) for seed in range(20)])
    rows = predictor.probabilities(images)
    requests = (
        RecognizeStreamRequest(request=RecognizeRequest(pixels=images[n % 20].tobytes()), id=str(n))
        for n in range(3000)
    )
    for n, response in enumerate(stub.RecognizeStream(requests, timeout=60)):
        assert response.id == str(n)
        assert_same_answer(response.outcome.answer.probabilities, rows[n % 20])
    assert n == 2999


def test_several_streams_at_once_do_not_mix(stub, repository):
    rows = load(repository, 1)[0].probabilities(np.stack([noise(name) for name in range(4)]))

    def talk(name: int) -> bool:
        request = RecognizeRequest(pixels=noise(name).tobytes())
        messages = (RecognizeStreamRequest(request=request, id=f"{name}/{n}") for n in range(200))
        responses = list(stub.RecognizeStream(messages, timeout=30))
        answers = np.array([response.outcome.answer.probabilities for response in responses])
        assert_same_answer(answers, np.broadcast_to(rows[name], answers.shape))
        return [r.id for r in responses] == [f"{name}/{n}" for n in range(200)]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(talk, range(4)))


def test_the_server_stops_reading_from_a_client_that_reads_nothing(repository, folder, serve):
    publish(repository, seed=1)
    sent, leave = 0, threading.Event()

    def requests():
        nonlocal sent
        while not leave.is_set():
            sent += 1
            yield RecognizeStreamRequest(request=RecognizeRequest(encoded=bytes(500_000)))

    # A fast connection would let gRPC grow its window to megabytes, and each response, a problem, is small.
    with grpc.insecure_channel(serve(folder).address, [("grpc.http2.bdp_probe", 0)]) as channel:
        call = RecognizerStub(channel).RecognizeStream(requests(), timeout=120)
        before = -1
        while before != sent:  # until the client can send no more
            before = sent
            threading.Event().wait(1.0)
        leave.set()
        assert call.is_active(), "it waits for the client, and has not given up"
        assert sent < 2_000
        call.cancel()


def test_a_client_that_leaves_amid_a_stream_leaves_no_task_behind(stub, serve, png, pixels):
    endless = iter(lambda: RecognizeStreamRequest(request=RecognizeRequest(encoded=png)), None)
    call = stub.RecognizeStream(endless, timeout=60)
    next(call)
    call.cancel()
    with pytest.raises(grpc.RpcError):
        list(call)
    assert stub.Recognize(RecognizeRequest(pixels=pixels.tobytes()), timeout=60).model_version == "1"


def test_an_open_stream_does_not_delay_the_stop_of_the_server(repository, folder, start, pixels):
    publish(repository, seed=1)
    server, more = start("serve", "--repository", folder, "--port", 0), threading.Event()

    def requests():
        yield RecognizeStreamRequest(request=RecognizeRequest(pixels=pixels.tobytes()))
        more.wait(60)

    with grpc.insecure_channel(server.listening()) as channel:
        call = RecognizerStub(channel).RecognizeStream(requests(), timeout=60)
        assert next(call).outcome.answer.model_version == "1"
        server.popen.send_signal(signal.SIGTERM)
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
        more.set()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "the server is stopping" in caught.value.details()
    assert server.end().returncode == 0, "it was not cut off"


def test_malformed_bytes_end_a_stream_after_the_answers_before_them(repository, folder, serve, pixels):
    publish(repository, seed=1)
    good = RecognizeStreamRequest(request=RecognizeRequest(pixels=pixels.tobytes())).SerializeToString()
    with grpc.insecure_channel(serve(folder).address) as channel:
        call = channel.stream_stream("/numeral.v1.Recognizer/RecognizeStream")(iter([good, b"\xff\xff"]), timeout=60)
        assert b"1" in next(call)
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
    assert caught.value.code() is INVALID


# explanations


@pytest.mark.parametrize("digit", [None, 0, 9])
def test_an_explanation_has_the_answer_the_image_and_the_saliency(stub, repository, png, digit):
    found = stub.Explain(ExplainRequest(encoded=png, digit=digit), timeout=60)
    image = digit_from_bytes(png)
    predictor, _ = load(repository, 1)
    wanted = predictor.saliency(image, digit)
    assert found.pixels == image.tobytes()
    assert found.digit == wanted.digit
    assert found.answer.digit == predictor.probabilities(image[np.newaxis]).argmax()
    assert_same_function(found.saliency, wanted.gradient.ravel(), terms=784, dtype=np.float32)
    assert_same_answer(found.answer.probabilities, expected(repository, 1, image))
    assert found.answer.reply_id


@pytest.mark.parametrize("digit", [-1, 10])
def test_a_number_that_is_no_digit_is_refused(stub, png, digit):
    for call, request in ((stub.Explain, ExplainRequest), (stub.SendFeedback, SendFeedbackRequest)):
        assert refused(call, request(encoded=png, digit=digit)) == (INVALID, f"digit: {digit}, expected 0 to 9")


def test_a_picture_without_a_digit_has_no_explanation(stub):
    assert refused(stub.Explain, ExplainRequest(encoded=BLANK))[0] is INVALID
    assert refused(stub.Explain, ExplainRequest())[0] is INVALID


# models


def test_a_model_is_described_by_its_manifest(stub, repository):
    found, manifest = stub.GetModel(GetModelRequest(), timeout=60), repository.manifest(1)
    assert (found.name, found.model_version, list(found.labels)) == ("mnist", "1", list("0123456789"))
    assert found.weights_sha256 == manifest.files["weights.safetensors"].sha256
    assert abs(found.created.ToDatetime().timestamp() - manifest.created.replace(tzinfo=None).timestamp()) < 1e-3
    assert (found.recipe, found.parameters) == ("tiny", manifest.architecture.parameter_count)
    assert list(found.input_shape) == [784]
    assert (found.test.images, found.test.accuracy, found.test.accuracy_high) == (1, 0.5, 1.0)
    assert found.temperature == 1.0
    assert list(found.aliases) == ["champion"]


def test_after_a_swap_the_new_model_is_described(stub, repository):
    publish(repository, seed=2)
    eventually(lambda: stub.GetModel(GetModelRequest(), timeout=60).model_version == "2")
