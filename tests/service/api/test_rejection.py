"""A picture that is no digit: every protocol says so, and why, and keeps the best guess."""

import re
import struct

import grpc
import numpy as np
import pytest

from core.inference.predict import load
from protos.inference import open_inference_pb2 as pb
from protos.inference.open_inference_pb2_grpc import GRPCInferenceServiceStub
from protos.numeral.v1.recognizer_pb2 import (
    ExplainRequest,
    Picture,
    RecognizeBatchRequest,
    RecognizeManyRequest,
    RecognizeRequest,
    RecognizeResponse,
    RecognizeStreamRequest,
)
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from tests.service.harness import assert_same_answer, expected
from tests.service.written import CROSS, CROSS_PIXELS, DIGIT, DIGIT_PIXELS, publish_refusing

FORMS = {
    "encoded": [{"encoded": DIGIT}, {"encoded": CROSS}],
    "pixels": [{"pixels": DIGIT_PIXELS.tobytes()}, {"pixels": CROSS_PIXELS.tobytes()}],
}


def alone(stub, pictures) -> list[RecognizeResponse]:
    return [stub.Recognize(RecognizeRequest(**picture), timeout=60) for picture in pictures]


def in_a_batch(stub, pictures) -> list[RecognizeResponse]:
    request = RecognizeBatchRequest(pictures=[Picture(**picture) for picture in pictures])
    return [outcome.answer for outcome in stub.RecognizeBatch(request, timeout=60).outcomes]


def in_a_stream(stub, pictures) -> list[RecognizeResponse]:
    requests = [RecognizeStreamRequest(request=RecognizeRequest(**picture)) for picture in pictures]
    return [response.outcome.answer for response in stub.RecognizeStream(iter(requests), timeout=60)]


def explained(stub, pictures) -> list[RecognizeResponse]:
    return [stub.Explain(ExplainRequest(**picture), timeout=60).answer for picture in pictures]


def among_many(stub, pictures) -> list[RecognizeResponse]:
    responses = [stub.RecognizeMany(RecognizeManyRequest(**picture), timeout=60) for picture in pictures]
    return [response.digits[0].answer for response in responses]


@pytest.fixture
def channel(repository, folder, serve):
    """A server whose version 1 refuses images, and whose version 2 cannot; version 1 is the champion."""
    publish_refusing(repository)
    publish_refusing(repository, rejection=None, promote=False)
    with grpc.insecure_channel(serve(folder, serve_also="2").address) as channel:
        yield channel


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ask", [alone, in_a_batch, in_a_stream, explained, among_many])
def test_every_call_says_that_a_picture_is_no_digit_and_keeps_the_best_guess(channel, repository, ask, form):
    digit, cross = ask(RecognizerStub(channel), FORMS[form])
    assert digit.rejected == ""
    assert digit.digitness > 0.9
    assert re.match(r"not a digit: the network finds it .+% likely that this is a digit at all; ", cross.rejected)
    assert 0 < cross.digitness < 0.1
    for answer, image in ((digit, DIGIT_PIXELS), (cross, CROSS_PIXELS)):
        assert_same_answer(answer.probabilities, expected(repository, 1, image))
        assert answer.probabilities[answer.digit] == answer.confidence == max(answer.probabilities)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ask", [alone, in_a_batch, in_a_stream])
def test_a_version_without_rejection_takes_every_picture_for_a_digit(repository, folder, serve, ask, form):
    publish_refusing(repository, rejection=None)
    with grpc.insecure_channel(serve(folder).address) as channel:
        for answer in ask(RecognizerStub(channel), FORMS[form]):
            assert (answer.rejected, answer.digitness) == ("", 1.0)
            assert answer.HasField("digitness")


# the Open Inference Protocol


def asking(version: str = "", *names: str) -> pb.ModelInferRequest:
    tensor = pb.ModelInferRequest.InferInputTensor(name="image", datatype="UINT8", shape=(2, 784))
    return pb.ModelInferRequest(
        model_name="mnist",
        model_version=version,
        inputs=[tensor],
        outputs=[pb.ModelInferRequest.InferRequestedOutputTensor(name=name) for name in names],
        raw_input_contents=[DIGIT_PIXELS.tobytes() + CROSS_PIXELS.tobytes()],
    )


def outputs(response: pb.ModelInferResponse) -> dict[str, bytes]:
    names = [output.name for output in response.outputs]
    return dict(zip(names, response.raw_output_contents, strict=True))


def test_digitness_and_rejected_are_outputs_of_a_version_that_can_refuse(channel, repository):
    stub = GRPCInferenceServiceStub(channel)
    images = np.stack([DIGIT_PIXELS, CROSS_PIXELS])
    wanted = load(repository, 1)[0].answers(images)
    for response in (
        stub.ModelInfer(asking(), timeout=60),
        next(stub.ModelStreamInfer(iter([asking()]), timeout=60)).infer_response,
    ):
        found = outputs(response)
        assert list(found) == ["probabilities", "digit", "digitness", "rejected"]
        assert found["rejected"] == b"\x00\x01"
        assert_same_answer(np.frombuffer(found["digitness"], "<f4"), wanted.digitness)
        assert found["digit"] == struct.pack("<2q", *wanted.probabilities.argmax(axis=1))
    assert outputs(stub.ModelInfer(asking("1", "rejected"), timeout=60)) == {"rejected": b"\x00\x01"}


def test_a_version_that_cannot_refuse_answers_as_it_always_did(channel):
    stub = GRPCInferenceServiceStub(channel)
    assert list(outputs(stub.ModelInfer(asking("2"), timeout=60))) == ["probabilities", "digit"]
    with pytest.raises(grpc.RpcError) as caught:
        stub.ModelInfer(asking("2", "rejected"), timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "version 2 has no output 'rejected'" in caught.value.details()


@pytest.mark.parametrize(
    ("version", "names"),
    [("1", ["probabilities", "digit", "digitness", "rejected"]), ("2", ["probabilities", "digit"])],
)
def test_the_descriptions_of_a_version_name_its_own_outputs(channel, version, names):
    stub = GRPCInferenceServiceStub(channel)
    metadata = stub.ModelMetadata(pb.ModelMetadataRequest(name="mnist", version=version), timeout=60)
    config = stub.ModelConfig(pb.ModelConfigRequest(name="mnist", version=version), timeout=60).config
    assert [output.name for output in metadata.outputs] == [output.name for output in config.output] == names
    described = {output.name: (output.datatype, list(output.shape)) for output in metadata.outputs}
    if "rejected" in described:
        assert described["digitness"] == ("FP32", [-1])
        assert described["rejected"] == ("BOOL", [-1])
