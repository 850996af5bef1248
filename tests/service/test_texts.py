import pytest

from protos.inference import open_inference_pb2 as pb
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest, RecognizeStreamRequest
from service.errors import RequestError
from service.texts import LONGEST_TEXT, MOST_ENTRIES, check_texts, quoted, shortened, version_number


def test_a_short_text_is_quoted_whole() -> None:
    assert quoted("challenger") == "'challenger'"


def test_of_a_long_text_the_beginning_and_the_length_are_quoted() -> None:
    assert quoted("x" * 20_000) == f"'{'x' * 40}'… (20,000 characters)"


def test_characters_that_a_terminal_would_obey_are_escaped() -> None:
    assert quoted("\x1b[2J\n") == r"'\x1b[2J\n'"


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("42", 42), ("999999999", 999_999_999)])
def test_a_version_has_one_spelling(text: str, number: int) -> None:
    assert version_number(text) == number


@pytest.mark.parametrize("text", ["", "0", "01", "+1", "1 ", "１", "٤", "²", "1_0", "1.0", "-1", "9" * 10, "9" * 4301])
def test_any_other_text_is_no_number_of_a_version(text: str) -> None:
    assert version_number(text) is None


def test_a_sentence_that_fits_into_a_status_is_left_as_it_is() -> None:
    assert shortened("x" * 1000) == "x" * 1000
    assert shortened("€" * 333) == "€" * 333


@pytest.mark.parametrize("character", ["x", "€", "🖍"])
def test_a_sentence_that_is_too_long_for_a_status_is_cut_between_two_characters(character: str) -> None:
    found = shortened(character * 20_000)
    assert found == character * (1000 // len(character.encode())) + "…"


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
