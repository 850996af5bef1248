"""LookInside and GetCard over gRPC, and the picture as the network saw it."""

import threading

import grpc
import numpy as np
import pytest
from PIL import Image

from core.artifact.manifest import Architecture
from core.imaging import digit_from_bytes
from core.inference.predict import load
from core.nn.architectures import build
from protos.numeral.v1.recognizer_pb2 import (
    GetCardRequest,
    LookInsideRequest,
    RecognizeRequest,
    RecognizeStreamRequest,
    Stage,
)
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.versions.documents import CARD
from tests.floats import assert_close
from tests.patience import eventually
from tests.service.harness import assert_same_answer, encoded, expected
from tests.service.tiny_model import LAYERS, publish, publish_network

BLANK = encoded(Image.new("L", (60, 60), 255))
CONVOLUTIONS = (
    {"kind": "conv2d", "channels": 3, "kernel": [5, 3], "padding": "same"},
    {"kind": "relu"},
    {"kind": "maxpool2d"},
    {"kind": "dropout", "rate": 0.5},
    {"kind": "flatten"},
    {"kind": "dense", "units": 10, "init": "orthogonal"},
)
FAR = {"kind": "dense", "units": 10}
VOTES = ({"kind": "ensemble", "members": [[FAR], [{"kind": "dense", "units": 4}, FAR]]},)
NETWORKS = {"dense": ((784,), LAYERS), "convolutions": ((28, 28, 1), CONVOLUTIONS), "ensemble": ((784,), VOTES)}


@pytest.fixture
def stub(folder, serve):
    with grpc.insecure_channel(serve(folder).address) as channel:
        yield RecognizerStub(channel)


@pytest.fixture(params=NETWORKS)
def of_kind(request, repository) -> str:
    """Publish a version with a network of this kind."""
    shape, layers = NETWORKS[request.param]
    network = build(shape, layers, rng=np.random.default_rng(5))
    spec = Architecture(input_shape=shape, layers=layers, parameter_count=network.vector.value.size)
    publish_network(repository, network, architecture=spec)
    return request.param


@pytest.fixture
def one(repository) -> None:
    publish(repository, seed=1, documents={CARD: "# Karte №1\n".encode()})


def refused(call, request) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=60)
    return caught.value.code()


def values(stage: Stage) -> np.ndarray:
    """What the comment in the .proto file says, (H, W, C) or (K,)."""
    flat = stage.low + (np.float64(stage.high) - stage.low) * np.frombuffer(stage.levels, np.uint8) / 255
    if len(stage.shape) < 3:
        return flat.reshape(stage.shape)
    height, width, channels = stage.shape
    return flat.reshape(channels, height, width).transpose(1, 2, 0)


def test_each_stage_is_the_output_of_its_layer_in_255_steps(of_kind, repository, stub, png):
    found = stub.LookInside(LookInsideRequest(encoded=png), timeout=60)
    image = digit_from_bytes(png)
    predictor, manifest = load(repository, 1)
    inside = predictor.inside(image, manifest.architecture.layers)
    assert found.pixels == image.tobytes()
    assert [(s.name, s.kind, s.parameters) for s in found.stages] == [
        (stage.name, stage.kind, stage.parameters) for stage in inside.stages
    ]
    for stage, right in zip(found.stages, inside.stages, strict=True):
        half_a_step = (stage.high - stage.low) / 255 * 0.501
        assert (stage.low, stage.high) == (right.output.min(), right.output.max())
        assert_close(values(stage), right.output, abs=half_a_step, why="rounded to one of 255 steps")
    last = found.stages[-1]
    logits = predictor.logits(image[np.newaxis])[0]
    step = (last.high - last.low) / 255
    assert_close(values(last), logits, abs=0.6 * step, why="half a step, and the rounding of two computations")
    assert sum(stage.parameters for stage in found.stages) == manifest.architecture.parameter_count
    assert_same_answer(found.answer.probabilities, expected(repository, 1, image))
    assert (found.answer.model_version, len(found.answer.reply_id)) == ("1", 32)


@pytest.mark.parametrize("of_kind", ["convolutions"], indirect=True)
def test_settings_are_those_of_the_recipe_as_text(of_kind, stub, png):
    conv, *_, dropout, _, dense = stub.LookInside(LookInsideRequest(encoded=png), timeout=60).stages
    assert dict(conv.settings) == {"channels": "3", "kernel": "[5, 3]", "padding": "same"}
    assert dict(dropout.settings) == {"rate": "0.5"}
    assert dict(dense.settings) == {"units": "10", "init": "orthogonal"}


@pytest.mark.usefixtures("one")
def test_a_look_inside_needs_a_digit_and_a_version_that_answers(stub, pixels):
    for request in (LookInsideRequest(), LookInsideRequest(encoded=BLANK), LookInsideRequest(pixels=bytes(3))):
        assert refused(stub.LookInside, request) is grpc.StatusCode.INVALID_ARGUMENT
    unknown = LookInsideRequest(pixels=pixels.tobytes(), model_version="77")
    assert refused(stub.LookInside, unknown) is grpc.StatusCode.NOT_FOUND
    for wanted in ("", "1", "champion"):
        found = stub.LookInside(LookInsideRequest(pixels=pixels.tobytes(), model_version=wanted), timeout=60)
        assert (found.answer.model_version, found.pixels) == ("1", pixels.tobytes())


# cards


@pytest.mark.usefixtures("one")
def test_the_card_of_a_version_is_sent_whether_it_is_loaded_or_not(repository, folder, stub):
    publish(repository, seed=2)
    eventually(lambda: stub.GetCard(GetCardRequest(), timeout=60).model_version == "2")
    assert stub.GetCard(GetCardRequest(), timeout=60).markdown == "", "it was published without one"
    first = stub.GetCard(GetCardRequest(model_version="1"), timeout=60)
    assert (first.model_version, first.markdown) == ("1", "# Karte №1\n")
    assert refused(stub.GetCard, GetCardRequest(model_version="77")) is grpc.StatusCode.NOT_FOUND
    (folder / "mnist" / "1" / CARD).write_text("# Another")
    assert refused(stub.GetCard, GetCardRequest(model_version="1")) is grpc.StatusCode.FAILED_PRECONDITION


def test_before_a_version_is_loaded_there_is_no_card(stub):
    assert refused(stub.GetCard, GetCardRequest()) is grpc.StatusCode.UNAVAILABLE


# the picture as the network saw it


def dark_on_light(pixels: np.ndarray) -> RecognizeRequest:
    return RecognizeRequest(pixels=(255 - pixels).tobytes())


@pytest.fixture
def drawn(png) -> np.ndarray:
    """(28, 28), ink on nothing: its polarity is certain."""
    return digit_from_bytes(png)


@pytest.mark.usefixtures("one")
def test_an_answer_contains_the_picture_as_the_network_saw_it_if_that_is_asked_for(stub, png, drawn):
    forms = (
        RecognizeRequest(encoded=png),
        RecognizeRequest(pixels=drawn.tobytes()),
        RecognizeRequest(pixels=(drawn > 127).astype(np.uint8).tobytes()),
        dark_on_light(drawn),
    )
    seen = [drawn, drawn, np.where(drawn > 127, 255, 0).astype(np.uint8), drawn]
    asked = [RecognizeRequest() for _ in forms]
    for request, form in zip(asked, forms, strict=True):
        request.CopyFrom(form)
        request.want_pixels = True
    alone = [stub.Recognize(request, timeout=60).pixels for request in asked]
    assert alone == [image.tobytes() for image in seen]
    assert [stub.Recognize(request, timeout=60).pixels for request in forms] == [b""] * 4
    mixed = [request for pair in zip(asked, forms, strict=True) for request in pair]
    responses = stub.RecognizeStream(iter([RecognizeStreamRequest(request=each) for each in mixed]), timeout=60)
    wanted = [pixels for image in seen for pixels in (image.tobytes(), b"")]
    assert [response.outcome.answer.pixels for response in responses] == wanted


@pytest.mark.usefixtures("one")
def test_in_a_stream_a_request_that_fails_has_no_picture_and_disturbs_no_other(stub, pixels):
    data = pixels.tobytes()
    requests = [
        RecognizeRequest(pixels=data, want_pixels=True, model_version="77"),
        RecognizeRequest(encoded=BLANK, want_pixels=True),
        RecognizeRequest(pixels=data, want_pixels=True),
        RecognizeRequest(pixels=data, model_version="77"),
    ]
    responses = list(stub.RecognizeStream(iter([RecognizeStreamRequest(request=r) for r in requests]), timeout=60))
    assert [each.outcome.problem.kind for each in responses] == [
        *("UnknownVersionError", "NoDigitError", "", "UnknownVersionError")
    ]
    assert [each.outcome.WhichOneof("outcome") for each in responses] == ["problem", "problem", "answer", "problem"]
    assert responses[2].outcome.answer.pixels == data


@pytest.mark.usefixtures("one")
def test_concurrent_calls_each_get_their_own_picture(stub):
    images = np.random.default_rng(1).integers(0, 256, (40, 28, 28), np.uint8)
    found: dict[int, bytes] = {}

    def ask(row: int) -> None:
        request = RecognizeRequest(pixels=images[row].tobytes(), want_pixels=row % 2 == 0)
        found[row] = stub.Recognize(request, timeout=60).pixels

    threads = [threading.Thread(target=ask, args=(row,)) for row in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {row: images[row].tobytes() if row % 2 == 0 else b"" for row in range(len(images))}
