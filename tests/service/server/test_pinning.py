"""A version that is pinned over gRPC: in every worker process, for those who may, and in what the service says."""

import os
import signal

import grpc
import pytest

from protos.inference import open_inference_pb2 as pb
from protos.inference.open_inference_pb2_grpc import GRPCInferenceServiceStub
from protos.numeral.v1.recognizer_pb2 import GetModelRequest, PinVersionRequest, PinVersionResponse
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.client import Recognizer
from tests.patience import eventually
from tests.service.server.test_processes import workers
from tests.service.tiny_model import damage, publish, weights_file

Status = grpc.StatusCode
PREDICT, ADMIN = "a-token-to-predict-with", "a-token-to-administer"


@pytest.fixture
def two(repository):
    for seed in (1, 2):
        publish(repository, seed=seed)
    return repository


def ask(address: str, version: str, token: str = "") -> PinVersionResponse:
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    with grpc.insecure_channel(address) as channel:
        return RecognizerStub(channel).PinVersion(
            PinVersionRequest(model_version=version), timeout=60, metadata=metadata
        )


def refused(address: str, version: str, token: str = "") -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        ask(address, version, token)
    return caught.value.code(), caught.value.details()


def answering(address: str, pixels, calls: int = 12) -> set[str]:
    """The versions that answer, each call over a connection of its own, so that every worker is asked."""
    found = set()
    for _ in range(calls):
        with Recognizer(address, timeout=60, wait_for_ready=True) as client:
            found.add(client.recognize(pixels).model_version)
    return found


def test_a_pin_holds_in_every_worker_and_in_one_that_replaces_another(two, folder, start, pixels):
    process = start("serve", "--repository", folder, "--port", 0, "--workers", 2)
    address = process.listening()
    assert ask(address, "1").model_version == "1"
    assert answering(address, pixels) == {"1"}
    publish(two, seed=3)
    victim = min(workers(process))
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: len(workers(process) - {victim}) == 2)
    eventually(lambda: process.log.count("version 1 is pinned") == 3)
    assert answering(address, pixels) == {"1"}
    assert ask(address, "").model_version == "3"
    assert answering(address, pixels) == {"3"}
    assert process.log.count("version 1 is no longer pinned") == 2


def test_a_pin_ends_with_the_server(two, folder, start, pixels):
    first = start("serve", "--repository", folder, "--port", 0)
    address = first.listening()
    ask(address, "1")
    assert answering(address, pixels, calls=1) == {"1"}
    first.popen.send_signal(signal.SIGTERM)
    first.end()
    assert answering(start("serve", "--repository", folder, "--port", 0).listening(), pixels, calls=1) == {"2"}


def test_only_a_token_of_an_administrator_may_pin(two, folder, serve, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"predict:{PREDICT}\nadmin:{ADMIN}\n")
    tokens.chmod(0o600)
    address = serve(folder, tokens_file=str(tokens)).address
    assert refused(address, "1", PREDICT)[0] is Status.PERMISSION_DENIED
    assert refused(address, "1")[0] is Status.UNAUTHENTICATED
    assert ask(address, "1", ADMIN).model_version == "1"


def test_what_cannot_be_pinned_is_refused_with_the_reason_and_changes_nothing(two, folder, serve, pixels):
    address = serve(folder).address
    publish(two, seed=3, promote=False)
    damage(weights_file(folder, 3))
    eventually(lambda: refused(address, "3")[0] is not Status.NOT_FOUND)
    code, sentence = refused(address, "3")
    assert code is Status.FAILED_PRECONDITION
    assert sentence.startswith("version 3 cannot be pinned: mnist/3/weights.safetensors: ")
    assert refused(address, "9") == (Status.NOT_FOUND, "no version or alias '9' here; ready: 2")
    code, sentence = refused(address, "1" * 1025)
    assert (code, sentence) == (
        Status.INVALID_ARGUMENT,
        "model_version: 1,025 characters, expected at most 1,024",
    )
    assert answering(address, pixels, calls=2) == {"2"}


def test_everything_that_names_no_version_is_about_the_pinned_one_and_the_index_tells(two, folder, serve, pixels):
    address = serve(folder).address
    ask(address, "1")
    with grpc.insecure_channel(address) as channel:
        assert RecognizerStub(channel).GetModel(GetModelRequest(), timeout=60).model_version == "1"
        inference = GRPCInferenceServiceStub(channel)

        def index() -> list[tuple[str, str, str]]:
            models = inference.RepositoryIndex(pb.RepositoryIndexRequest(), timeout=60).models
            return [(model.version, model.state, model.reason) for model in models]

        assert index() == [("1", "READY", ""), ("2", "READY", "")]
        request = pb.RepositoryModelUnloadRequest(model_name="mnist")
        request.parameters["version"].string_param = "1"
        inference.RepositoryModelUnload(request, timeout=60)
        assert index()[0] == ("1", "UNAVAILABLE", "an operator has unloaded it, which has ended its pin")
    assert answering(address, pixels, calls=2) == {"2"}
