"""What generic tools can find out about the service: reflection and channelz."""

import logging

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass
from grpc_channelz.v1 import channelz_pb2
from grpc_channelz.v1.channelz_pb2_grpc import ChannelzStub
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from service.roles import METHODS
from tests.service.tiny_model import publish

SERVICES = {
    "numeral.v1.Recognizer",
    "inference.GRPCInferenceService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
}


class ReflectionV1(ProtoReflectionDescriptorDatabase):
    """The client that grpcio-reflection brings for v1alpha, asking v1: their messages are the same."""

    def __init__(self, channel: grpc.Channel) -> None:
        super().__init__(channel)
        self._stub.ServerReflectionInfo = channel.stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )


VERSIONS = pytest.mark.parametrize("reflection", [ProtoReflectionDescriptorDatabase, ReflectionV1])


@VERSIONS
def test_every_service_is_listed(folder, serve, reflection):
    with grpc.insecure_channel(serve(folder).address) as channel:
        assert set(reflection(channel).get_services()) == SERVICES
    with grpc.insecure_channel(serve(folder, channelz=True).address) as channel:
        assert set(reflection(channel).get_services()) == SERVICES | {"grpc.channelz.v1.Channelz"}


@VERSIONS
def test_every_listed_service_and_its_methods_are_described(folder, serve, reflection):
    with grpc.insecure_channel(serve(folder, channelz=True).address) as channel:
        database = reflection(channel)
        pool = descriptor_pool.DescriptorPool(database)
        described = {
            name: {method.name for method in pool.FindServiceByName(name).methods} for name in database.get_services()
        }
    assert described.items() >= {name: set(methods) for name, methods in METHODS.items()}.items()


def test_the_status_of_every_service_is_listed(repository, folder, serve):
    publish(repository, seed=1)
    with grpc.insecure_channel(serve(folder).address) as channel:
        pool = descriptor_pool.DescriptorPool(ReflectionV1(channel))
        method = pool.FindServiceByName("grpc.health.v1.Health").methods_by_name["List"]
        call = channel.unary_unary(
            "/grpc.health.v1.Health/List",
            GetMessageClass(method.input_type).SerializeToString,
            GetMessageClass(method.output_type).FromString,
        )
        found = call(GetMessageClass(method.input_type)(), timeout=60).statuses
        assert {name: status.status for name, status in found.items()} == dict.fromkeys(
            ("", "numeral.v1.Recognizer", "inference.GRPCInferenceService"), HealthCheckResponse.SERVING
        )


def test_a_client_without_stubs_can_infer_by_reflection(repository, folder, serve, pixels):
    publish(repository, seed=1)
    with grpc.insecure_channel(serve(folder).address) as channel:
        pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        method = pool.FindServiceByName("inference.GRPCInferenceService").FindMethodByName("ModelInfer")
        request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        call = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer", request.SerializeToString, response.FromString
        )
        asked = request(model_name="mnist", raw_input_contents=[pixels.tobytes()])
        asked.inputs.add(name="image", datatype="UINT8", shape=[1, 784])
        assert call(asked, timeout=60).model_version == "1"


def test_channelz_shows_connections_only_if_it_is_turned_on(folder, serve):
    with grpc.insecure_channel(serve(folder, channelz=True).address) as channel:
        servers = ChannelzStub(channel).GetServers(channelz_pb2.GetServersRequest(), timeout=60).server
        assert any(server.data.calls_started for server in servers)
    with grpc.insecure_channel(serve(folder).address) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            ChannelzStub(channel).GetServers(channelz_pb2.GetServersRequest(), timeout=60)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("/grpc.health.v1.Health/Check", "unary_unary"),
        ("/grpc.health.v1.Health/Watch", "unary_stream"),
        ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "stream_stream"),
        ("/grpc.channelz.v1.Channelz/GetServer", "unary_unary"),
    ],
)
def test_garbage_sent_to_grpcs_own_services_is_refused_without_a_traceback(folder, serve, method, kind, caplog):
    garbage = b"\xff" * 20
    with grpc.insecure_channel(serve(folder, channelz=True).address) as channel:
        call = getattr(channel, kind)(method)
        with pytest.raises(grpc.RpcError) as caught:
            list(call(iter([garbage]) if kind == "stream_stream" else garbage, timeout=60))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []
