"""What generic tools can find out about the service: reflection and channelz."""

import logging

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass
from grpc_channelz.v1 import channelz_pb2
from grpc_channelz.v1.channelz_pb2_grpc import ChannelzStub
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.service.tiny_model import publish

SERVICES = {
    "numeral.v1.Recognizer",
    "inference.GRPCInferenceService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1alpha.ServerReflection",
}


def test_every_service_is_listed(folder, serve):
    with grpc.insecure_channel(serve(folder).address) as channel:
        assert set(ProtoReflectionDescriptorDatabase(channel).get_services()) == SERVICES
    with grpc.insecure_channel(serve(folder, channelz=True).address) as channel:
        assert set(ProtoReflectionDescriptorDatabase(channel).get_services()) == SERVICES | {
            "grpc.channelz.v1.Channelz"
        }


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
