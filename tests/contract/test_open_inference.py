"""The Open Inference Protocol on the wire: what is here is what an existing client knows."""

import pytest

from protos.inference import open_inference_pb2
from tests.contract.wire import calls, fields
from tests.service.api.inference.triton_process import tritonclient

OURS = fields(open_inference_pb2.DESCRIPTOR)

CONFIGURATION = {"ModelConfig", "ModelInput", "ModelOutput"}
"""Messages of which only some fields are here."""

YOUNGER = {"ModelStatistics.response_stats", "InferResponseStatistics", "ModelStatistics.ResponseStatsEntry"}
"""What older clients do not know yet."""


@pytest.fixture(scope="module")
def known():
    """The messages and the calls that an unchanged client knows."""
    with tritonclient() as client:
        return client("descriptors")


def test_every_message_has_the_fields_numbers_and_types_that_the_client_knows(known):
    theirs, _ = known
    compared = 0
    for name, found in OURS.items():
        short = name.removeprefix("inference.")
        if short in YOUNGER and name not in theirs:
            continue
        expected = theirs[name]
        assert {field: expected.get(field, wire) for field, wire in found.items()} == found, name
        assert {f"{short}.{field}" for field in found.keys() - expected.keys()} <= YOUNGER
        if short not in CONFIGURATION:
            assert expected.keys() <= found.keys(), name
        compared += len(found.keys() & expected.keys())
    assert compared > 120


def test_every_call_has_the_request_and_response_that_the_client_knows(known):
    _, theirs = known
    ours = calls(open_inference_pb2.DESCRIPTOR)
    assert len(ours) == 12
    assert {name: theirs[name] for name in ours} == ours


def test_only_model_stream_infer_streams_and_in_both_directions():
    service = open_inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
    streams = {method.name: (method.client_streaming, method.server_streaming) for method in service.methods}
    assert {name for name, ways in streams.items() if any(ways)} == {"ModelStreamInfer"}
    assert streams["ModelStreamInfer"] == (True, True)


def test_datatypes_of_a_configuration_keep_their_numbers():
    numbers = {value.name: value.number for value in open_inference_pb2.DataType.DESCRIPTOR.values}
    names = ["INVALID", "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"]
    names += ["FP16", "FP32", "FP64", "STRING", "BF16"]
    assert numbers == {f"TYPE_{name}": number for number, name in enumerate(names)}
