"""grpc.health.v1 and reflection, as generic clients use them."""

import threading

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.patience import eventually
from tests.service.harness import expected, running
from tests.service.tiny_model import publish

SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING


@pytest.fixture
def channel(folder, serve):
    with grpc.insecure_channel(serve(folder).address) as channel:
        yield channel


def health(channel: grpc.Channel, service: str = "") -> int:
    return HealthStub(channel).Check(HealthCheckRequest(service=service), timeout=60).status


@pytest.mark.parametrize("service", ["", "numeral.v1.Recognizer"])
def test_health_is_not_serving_until_a_version_is_loaded_and_serving_then(repository, channel, service):
    assert health(channel, service) == NOT_SERVING
    publish(repository, seed=1)
    eventually(lambda: health(channel, service) == SERVING)


def test_a_server_with_a_champion_is_ready_as_soon_as_it_listens(repository, folder, serve):
    publish(repository, seed=1)
    with grpc.insecure_channel(serve(folder).address) as channel:
        assert health(channel) == SERVING


def test_an_unknown_service_is_not_found(channel):
    with pytest.raises(grpc.RpcError) as caught:
        health(channel, "another.Service")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_every_watcher_is_notified_of_each_change_and_of_the_end(repository, folder):
    heard: list[list[int]] = [[], []]

    def watch(address: str, into: list[int]) -> None:
        with grpc.insecure_channel(address) as channel:
            for response in HealthStub(channel).Watch(HealthCheckRequest(), timeout=120):
                into.append(response.status)

    def hear(address: str, into: list[int]) -> threading.Thread:
        thread = threading.Thread(target=watch, args=(address, into), daemon=True)
        thread.start()
        return thread

    with running(folder, drain_seconds=60) as server, grpc.insecure_channel(server.address) as channel:
        early = HealthStub(channel).Watch(HealthCheckRequest(), timeout=120)
        assert next(early).status == NOT_SERVING
        watchers = [hear(server.address, into) for into in heard]
        eventually(lambda: all(heard))
        early.cancel()  # one watcher that leaves must not affect the others
        publish(repository, seed=1)
        eventually(lambda: health(channel) == SERVING)
    for watcher in watchers:
        watcher.join(60)
        assert not watcher.is_alive()
    assert heard == [[NOT_SERVING, SERVING, NOT_SERVING]] * 2


def test_a_client_without_stubs_can_recognize_by_reflection(repository, folder, serve, pixels):
    publish(repository, seed=1)
    with grpc.insecure_channel(serve(folder).address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert {"numeral.v1.Recognizer", "grpc.health.v1.Health"} <= set(database.get_services())
        pool = DescriptorPool(database)
        method = pool.FindServiceByName("numeral.v1.Recognizer").methods_by_name["Recognize"]
        call = channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        response = call(GetMessageClass(method.input_type)(pixels=pixels.tobytes()), timeout=60)
        assert tuple(response.probabilities) == expected(repository, 1, pixels)
