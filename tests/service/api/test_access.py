"""Which token permits which call, with real tokens over real connections."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextvars import copy_context
from queue import SimpleQueue

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from protos.inference.open_inference_pb2 import ModelInferRequest
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest, RecognizeStreamRequest
from service.api.access import Guard
from service.api.interceptor import Interceptor
from service.api.tokens import Tokens
from service.call import check_permit
from service.errors import DeniedError, UnauthenticatedError
from service.observer import Observer
from service.roles import Role, role_for
from service.server import renewal
from tests.patience import eventually
from tests.service.every_method import every_method, path
from tests.service.harness import STROKE
from tests.service.tiny_model import publish

PREDICT, ADMIN = "a-token-to-predict", "a-token-to-administer"
RECOGNIZE = "/numeral.v1.Recognizer/Recognize"
REFLECT = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
STREAM = "/numeral.v1.Recognizer/RecognizeStream"
INFER = "/inference.GRPCInferenceService/ModelStreamInfer"
LOAD = "/inference.GRPCInferenceService/RepositoryModelLoad"

NEED_ADMIN = {
    "/inference.GRPCInferenceService/RepositoryModelLoad",
    "/inference.GRPCInferenceService/RepositoryModelUnload",
    "/numeral.v1.Recognizer/ListFeedback",
    "/numeral.v1.Recognizer/DiscardFeedback",
    "/numeral.v1.Recognizer/AcceptFeedback",
    "/numeral.v1.Recognizer/PinVersion",
    "/numeral.v1.Recognizer/ListVersions",
    "/numeral.v1.Recognizer/ListMoves",
    "/numeral.v1.Recognizer/GetDocument",
}


@pytest.fixture(autouse=True)
def without_pause(monkeypatch):
    """Look at the file of tokens without pause, rather than once a second."""
    monkeypatch.setattr(renewal, "LOOK_SECONDS", 0.01)


@pytest.fixture
def call(pixels):
    """Recognize, with any number of authorizations; "" for an answer, else the name of the status and its message."""
    request = RecognizeRequest(pixels=pixels.tobytes()).SerializeToString()

    def ask(server, *authorizations):
        metadata = [("authorization", each) for each in authorizations]
        with grpc.insecure_channel(server.address) as channel:
            try:
                channel.unary_unary(RECOGNIZE)(request, metadata=metadata, timeout=60)
            except grpc.RpcError as error:
                return f"{error.code().name}: {error.details()}"
        return ""

    return ask


@pytest.fixture
def server(repository, folder, serve, tokens):
    publish(repository, seed=1)
    return serve(folder, tokens_file=tokens(f"predict:{PREDICT}", f"admin:{ADMIN}"))


def test_a_call_with_a_known_token_is_answered(server, call):
    assert call(server, f"Bearer {PREDICT}") == ""
    assert call(server, f"bearer {ADMIN}") == "", "admin may do all that predict may"


@pytest.mark.parametrize("scheme", ["BEARER ", "bearer   "])
def test_the_case_of_the_scheme_and_the_blanks_after_it_do_not_matter(server, call, scheme):
    assert call(server, f"{scheme}{PREDICT}") == ""


@pytest.mark.parametrize(
    ("authorizations", "words"),
    [
        ([], "no token"),
        (["Bearer not-a-token-of-theirs"], "not known"),
        (["Bearer"], "is empty"),
        (["Bearer  "], "is empty"),
        ([""], "not a bearer token"),
        ([f"Basic {PREDICT}"], "not a bearer token"),
        ([PREDICT], "not a bearer token"),
        ([f"Bearer {PREDICT}, Bearer {ADMIN}"], "not known"),
        ([f"Bearer {PREDICT}", f"Bearer {ADMIN}"], "authorization 2 times; send it once"),
        ([f"Bearer {PREDICT}", f"Bearer {PREDICT}"], "authorization 2 times; send it once"),
        ([f"Bearer {PREDICT}", "Basic bmFtZTp3b3Jk"], "authorization 2 times; send it once"),
    ],
)
def test_a_call_without_exactly_one_known_token_is_refused_with_the_reason(server, call, authorizations, words):
    answer = call(server, *authorizations)
    assert answer.startswith("UNAUTHENTICATED: ")
    assert words in answer
    assert PREDICT not in answer


@pytest.mark.parametrize("method", [LOAD, "/numeral.v1.Recognizer/Unheard"])
def test_repository_control_and_methods_without_a_row_need_the_role_admin(tokens, method):
    guard = Guard(Tokens(tokens(f"predict:{PREDICT}", f"admin:{ADMIN}")))

    async def answer(authorization: str) -> str:
        server = grpc.aio.server()
        service, name = method[1:].split("/")
        handlers = {name: grpc.unary_unary_rpc_method_handler(_empty)}
        Interceptor(Observer(), [guard.enter]).on(server).add_registered_method_handlers(service, handlers)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            try:
                await channel.unary_unary(method)(b"", metadata=[("authorization", authorization)], timeout=60)
            except grpc.aio.AioRpcError as error:
                return f"{error.code().name}: {error.details()}"
            finally:
                await server.stop(None)
        return ""

    denied = "PERMISSION_DENIED: the token has the role predict, and this method needs admin"
    assert asyncio.run(answer(f"Bearer {PREDICT}")) == denied
    assert asyncio.run(answer(f"Bearer {ADMIN}")) == ""


class Shown:
    """What a call shows to the guard."""

    def __init__(self, token):
        self.metadata = (("authorization", f"Bearer {token}"),)

    def invocation_metadata(self):
        return self.metadata


def test_a_call_that_goes_on_learns_that_its_token_was_revoked(tokens):
    known = Tokens(tokens(f"predict:{PREDICT}", f"admin:{ADMIN}"))

    def begin_and_revoke():
        check_permit()  # no token was asked for yet
        Guard(known).enter(LOAD, Shown(ADMIN))
        check_permit()
        tokens(f"predict:{ADMIN}")
        known.look()
        with pytest.raises(DeniedError):
            check_permit()
        tokens(f"predict:{PREDICT}")
        known.look()
        with pytest.raises(UnauthenticatedError):
            check_permit()

    copy_context().run(begin_and_revoke)


async def _empty(_request, _context):
    return b""


def test_a_stream_is_refused_before_its_first_message(server):
    silence = threading.Event()
    requests = (b"" for _ in iter(silence.wait, False))  # none, until the test is over
    with grpc.insecure_channel(server.address) as channel:
        answers = channel.stream_stream(REFLECT)(requests, timeout=60)
        with pytest.raises(grpc.RpcError) as caught:
            next(answers)
        silence.set()
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_probes_need_no_token_and_reflection_does(server):
    with grpc.insecure_channel(server.address) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(HealthCheckRequest().SerializeToString(), timeout=60)
        list_all = channel.unary_unary("/grpc.health.v1.Health/List")
        assert list_all(b"", timeout=60)
        reflect = ServerReflectionStub(channel).ServerReflectionInfo
        listing = [ServerReflectionRequest(list_services="")]
        with pytest.raises(grpc.RpcError) as caught:
            list(reflect(iter(listing), timeout=60))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        present = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        with pytest.raises(grpc.RpcError) as caught:
            list(present(iter([listing[0].SerializeToString()]), timeout=60))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        shown = [("authorization", f"Bearer {PREDICT}")]
        [answer] = reflect(iter(listing), metadata=shown, timeout=60)
        assert "numeral.v1.Recognizer" in [service.name for service in answer.list_services_response.service]


def test_a_stream_of_reflection_ends_when_its_token_is_revoked(server, tokens):
    shown, requests = [("authorization", f"Bearer {PREDICT}")], SimpleQueue()
    with grpc.insecure_channel(server.address) as channel:
        reflect = ServerReflectionStub(channel).ServerReflectionInfo
        answers = reflect(iter(requests.get, None), metadata=shown, timeout=60)

        def refused():
            requests.put(ServerReflectionRequest(list_services=""))
            try:
                next(answers)
            except grpc.RpcError as error:
                return error.code() is grpc.StatusCode.UNAUTHENTICATED
            return False

        assert not refused()
        tokens(f"admin:{ADMIN}")
        eventually(refused)
        requests.put(None)


def test_only_the_methods_that_change_the_service_need_the_role_admin():
    needed = {path(method): role_for(path(method)) for method in every_method()}
    assert {method for method, role in needed.items() if role is Role.ADMIN} <= NEED_ADMIN
    assert Role.ANYBODY not in needed.values()


def test_every_method_that_changes_the_service_needs_the_role_admin():
    assert {role_for(method) for method in NEED_ADMIN} == {Role.ADMIN}


def test_tokens_are_changed_without_a_restart_and_without_a_gap(server, call, tokens):
    new = "the-token-after-it"
    tokens(f"predict:{PREDICT}", f"predict:{new}", f"admin:{ADMIN}")
    eventually(lambda: call(server, f"Bearer {new}") == "")
    assert call(server, f"Bearer {PREDICT}") == "", "both are good while clients are changed"
    tokens(f"predict:{new}", f"admin:{ADMIN}")
    eventually(lambda: call(server, f"Bearer {PREDICT}").startswith("UNAUTHENTICATED"))
    assert call(server, f"Bearer {new}") == ""


def test_a_malformed_new_file_changes_nothing_and_is_logged_without_its_content(server, call, tokens, caplog):
    with caplog.at_level(logging.ERROR, "service.api.tokens"):
        tokens("a secret that was pasted into the wrong file")
        eventually(lambda: call(server, f"Bearer {PREDICT}") == "" and caplog.records)
    [record] = caplog.records
    assert "line 1" in record.message
    assert "secret" not in record.message


def open_stream(channel: grpc.Channel, method: str) -> Iterator[bytes]:
    """A stream that is open: its first request is answered, and no other one follows."""
    first = {
        STREAM: RecognizeStreamRequest(request=RecognizeRequest(pixels=STROKE.tobytes())),
        INFER: ModelInferRequest(model_name="nobody"),
        REFLECT: ServerReflectionRequest(list_services=""),
    }[method].SerializeToString()
    leave = threading.Event()

    def requests() -> Iterator[bytes]:
        yield first
        leave.wait(120)

    call = channel.stream_stream(method)(requests(), metadata=[("authorization", f"Bearer {PREDICT}")], timeout=120)
    call.add_callback(leave.set)
    next(call)
    return call


@pytest.mark.parametrize("method", [STREAM, INFER, REFLECT])
def test_a_token_that_is_no_longer_valid_ends_its_open_streams(server, tokens, method):
    with grpc.insecure_channel(server.address) as channel:
        call = open_stream(channel, method)
        tokens(f"admin:{ADMIN}")
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "the token is not known" in caught.value.details()


def test_a_stream_stays_open_when_other_tokens_change(server, tokens):
    with grpc.insecure_channel(server.address) as channel:
        calls = [open_stream(channel, method) for method in (STREAM, INFER)]
        tokens(f"predict:{PREDICT}", "admin:another-token-to-administer")
        eventually(lambda: is_refused(channel, ADMIN))
        assert all(call.is_active() for call in calls)
        for call in calls:
            call.cancel()


def is_refused(channel: grpc.Channel, token: str) -> bool:
    try:
        list(channel.stream_stream(STREAM)(iter(()), metadata=[("authorization", f"Bearer {token}")], timeout=60))
    except grpc.RpcError as error:
        return error.code() is grpc.StatusCode.UNAUTHENTICATED
    return False


def test_the_log_contains_no_token_whatever_is_sent(repository, folder, start, tokens, call):
    publish(repository, seed=1)
    file = tokens(f"predict:{PREDICT}", f"admin:{ADMIN}")
    process = start("serve", "--repository", folder, "--port", 0, "--tokens-file", file, "--log-level", "debug")
    process.address = process.listening()
    strange = "a-token-that-is-unknown"
    assert call(process, f"Bearer {PREDICT}") == ""
    assert call(process, f"Bearer {strange}").startswith("UNAUTHENTICATED")
    assert "serving version 1" in process.log
    assert [secret for secret in (PREDICT, ADMIN, strange) if secret in process.log] == []
