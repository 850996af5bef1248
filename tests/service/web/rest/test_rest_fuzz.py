"""Any document is answered, or refused in words: never with an error of the server's own."""

import http.client
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.web.rest.asking import INFER

few = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
names = st.sampled_from(["image", "digit", "probabilities", "other", "binary_data", "binary_data_size", "timeout"])
parameters = anything | st.dictionaries(names | st.text(max_size=5), anything, max_size=3)
tensors = st.fixed_dictionaries(
    {},
    optional={
        "name": names | anything,
        "datatype": st.sampled_from(["UINT8", "FP32", "BYTES", "BOOL"]) | anything,
        "shape": st.lists(st.sampled_from([-1, 0, 1, 2, 28, 784, 2**63, 2**70]), max_size=4) | anything,
        "parameters": parameters,
        "data": st.lists(st.integers(0, 300), max_size=5) | st.just([9] * 784) | anything,
    },
)
documents = anything | st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=5) | anything,
        "parameters": parameters,
        "inputs": st.lists(tensors, max_size=3) | anything,
        "outputs": st.lists(tensors, max_size=3) | anything,
    },
)


@pytest.fixture
def send(web_server):
    connection = http.client.HTTPConnection(web_server.address, timeout=60)

    def status(path: str, body: bytes, headers: dict[str, str]) -> int:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        content = response.read()
        if response.status >= 400:
            assert isinstance(json.loads(content)["error"], str)
        return response.status

    yield status
    connection.close()


@pytest.mark.parametrize("path", [INFER, "/v2/repository/index", "/v2/repository/models/mnist/load"])
def test_any_document_is_answered_or_refused(send, path):
    @few
    @given(documents)
    def check(document):
        assert send(path, json.dumps(document).encode(), {"Content-Type": "application/json"}) in (200, 400, 404)

    check()


@pytest.mark.parametrize("value", [0.5, 1 << 63])
def test_a_number_that_no_parameter_of_a_load_can_be_is_refused(send, value):
    document = json.dumps({"parameters": {"version": value}}).encode()
    assert send("/v2/repository/models/mnist/load", document, {"Content-Type": "application/json"}) == 400


def test_any_bytes_with_any_length_of_json_are_answered_or_refused(send):
    @few
    @given(documents, st.binary(max_size=50), st.integers(-3, 3))
    def check(document, behind, off):
        body = json.dumps(document).encode()
        headers = {"Inference-Header-Content-Length": str(len(body) + off)}
        assert send(INFER, body + behind, headers) in (200, 400, 404)

    check()


def test_any_bytes_are_answered_or_refused(send):
    @few
    @given(st.binary(max_size=200), st.sampled_from(["", "image/png", "application/json", "text/plain"]))
    def check(body, kind):
        assert send(INFER, body, {"Content-Type": kind}) in (200, 400, 413)

    check()
