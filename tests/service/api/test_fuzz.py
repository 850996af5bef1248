"""Any bytes to any method: the server gives an answer, or a status that says what is wrong with them."""

from collections.abc import Callable, Sequence

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1.health_pb2 import HealthCheckRequest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.any_message import any_message
from tests.service.every_method import every_method, path
from tests.service.tiny_model import publish

METHODS = list(every_method())

NEVER = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.ABORTED}
"""Statuses that would be a fault of the server, or of a method that is declared but not served."""

few = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

Send = Callable[[MethodDescriptor, Sequence[bytes]], grpc.StatusCode]


@pytest.fixture
def send(repository, folder, serve, tmp_path) -> "Send":
    """Call a method of a server with a model: bytes for each request, and the status that came back."""
    publish(repository, seed=1)
    publish(repository, seed=2)
    server = serve(folder, feedback=str(tmp_path / "feedback"))
    with grpc.insecure_channel(server.address) as channel:

        def call(method: MethodDescriptor, requests: Sequence[bytes]) -> grpc.StatusCode:
            try:
                if method.client_streaming:
                    for _ in channel.stream_stream(path(method))(iter(requests), timeout=30):
                        pass
                else:
                    channel.unary_unary(path(method))(requests[0], timeout=30)
            except grpc.RpcError as error:
                return error.code() if error.details() else grpc.StatusCode.UNKNOWN  # a status without a sentence
            return grpc.StatusCode.OK

        yield call
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(HealthCheckRequest().SerializeToString(), timeout=30) is not None, "it still answers"


@pytest.mark.parametrize("method", METHODS, ids=path)
def test_random_bytes_are_answered_with_a_status(send, method):
    @few
    @given(st.lists(st.binary(max_size=300), min_size=1, max_size=3))
    def never_at_fault(requests):
        assert send(method, requests) not in NEVER

    never_at_fault()


@pytest.mark.parametrize("method", METHODS, ids=path)
def test_any_message_is_answered_with_a_status(send, method):
    @few
    @given(st.lists(any_message(method.input_type), min_size=1, max_size=3))
    def never_at_fault(messages):
        assert send(method, [message.SerializeToString() for message in messages]) not in NEVER

    never_at_fault()


@pytest.mark.parametrize("method", METHODS, ids=path)
def test_a_truncated_or_corrupted_message_is_answered_with_a_status(send, method):
    @few
    @given(any_message(method.input_type), st.data())
    def never_at_fault(message, data):
        valid = bytearray(message.SerializeToString() or b"\x00")
        valid[data.draw(st.integers(0, len(valid) - 1))] = data.draw(st.integers(0, 255))
        cut = bytes(valid[: data.draw(st.integers(0, len(valid)))])
        assert send(method, [cut]) not in NEVER

    never_at_fault()
