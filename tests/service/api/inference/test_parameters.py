"""Open Inference Protocol: the parameters of a request are honored, refused, or the client's own."""

import pytest

from protos.inference.open_inference_pb2 import ModelInferRequest
from service.api.inference.parameters import timeout_of
from service.errors import InferRequestError


def timeout(name: str, **value: object) -> float | None:
    """What is made of a request with one parameter."""
    request = ModelInferRequest()
    for field, content in value.items():
        setattr(request.parameters[name], field, content)
    request.parameters[name].SetInParent()
    return timeout_of(request.parameters)


@pytest.mark.parametrize("field", ["int64_param", "uint64_param"])
def test_a_timeout_is_in_microseconds_and_0_is_none(field):
    assert timeout("timeout", **{field: 1_500_000}) == 1.5
    assert timeout("timeout", **{field: 0}) is None
    assert timeout_of({}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sequence_id", {"int64_param": 0}),
        ("sequence_id", {"string_param": ""}),
        ("sequence_start", {"bool_param": False}),
        ("sequence_end", {"bool_param": False}),
        ("priority", {"uint64_param": 0}),
        ("triton_enable_empty_final_response", {"bool_param": True}),
        ("anything", {"double_param": 0.5}),
    ],
)
def test_a_parameter_that_asks_for_nothing_is_accepted(name, value):
    assert timeout(name, **value) is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("timeout", {"int64_param": -1}, "'timeout' = -1, expected microseconds"),
        ("timeout", {"double_param": 0.5}, "is a double_param, expected int64_param or uint64_param"),
        ("priority", {"uint64_param": 2}, "'priority' = '2': this server has no levels of priority; leave it out"),
        ("priority", {"string_param": "1"}, "is a string_param"),
        ("sequence_id", {"int64_param": 7}, "'sequence_id' = '7': this model answers each request alone"),
        ("sequence_id", {"string_param": "x" * 9000}, "(9,000 characters): this model answers each request alone"),
        ("sequence_start", {"bool_param": True}, "leave it out"),
        ("sequence_end", {"bool_param": True}, "leave it out"),
        ("triton_x", {"bool_param": True}, "names that begin with triton_ are reserved"),
        ("mine", {}, "'mine' has no value"),
    ],
)
def test_a_parameter_that_cannot_be_honored_is_refused_with_the_reason(name, value, words):
    with pytest.raises(InferRequestError) as caught:
        timeout(name, **value)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 300
