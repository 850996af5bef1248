import pytest

from protos.inference import open_inference_pb2 as pb
from protos.numeral.v1.recognizer_pb2 import (
    GetCardRequest,
    LookInsideRequest,
    RecognizeRequest,
    RecognizeStreamRequest,
)
from service.api.text_limits import LONGEST_TEXT, MOST_ENTRIES, check_texts
from service.errors import RequestError


def a_parameter(name: str, text: str) -> pb.ModelInferRequest:
    request = pb.ModelInferRequest()
    request.parameters[name].string_param = text
    return request


LONG = "x" * (LONGEST_TEXT + 1)
TENSOR = pb.ModelInferRequest.InferInputTensor


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (RecognizeRequest(model_version=LONG), "model_version: 1,025 characters, expected at most 1,024"),
        (LookInsideRequest(model_version=LONG), "model_version: 1,025 characters, expected at most 1,024"),
        (GetCardRequest(model_version=LONG), "model_version: 1,025 characters, expected at most 1,024"),
        (RecognizeStreamRequest(id=LONG), "id: 1,025 characters, expected at most 1,024"),
        (
            RecognizeStreamRequest(request=RecognizeRequest(model_version=LONG)),
            "request.model_version: 1,025 characters, expected at most 1,024",
        ),
        (
            pb.ModelInferRequest(inputs=[TENSOR(name="image"), TENSOR(datatype=LONG)]),
            "inputs[…].datatype: 1,025 characters, expected at most 1,024",
        ),
        (
            pb.ModelInferRequest(inputs=[TENSOR(name="a name of some length")] * (MOST_ENTRIES + 1)),
            "inputs: 65 entries, expected at most 64",
        ),
        (a_parameter(LONG, "a"), "a key in parameters: 1,025 characters, expected at most 1,024"),
        (a_parameter("a", LONG), "parameters['a'].string_param: 1,025 characters, expected at most 1,024"),
    ],
    ids=lambda value: value.split(":")[0] if isinstance(value, str) else "",
)
def test_a_text_that_is_too_long_is_refused_by_the_name_of_its_field(request_, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        check_texts(request_, request_.ByteSize())
    assert str(caught.value) == sentence


def test_texts_of_the_longest_allowed_length_and_pictures_of_any_length_pass() -> None:
    longest = "x" * LONGEST_TEXT
    picture = RecognizeRequest(encoded=bytes(10_000_000), model_version=longest)
    for request in (RecognizeStreamRequest(request=picture, id=longest), a_parameter(longest, longest)):
        check_texts(request, request.ByteSize())
