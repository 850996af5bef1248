"""Which token permits which call, with real tokens over real connections."""

import asyncio
import hashlib
import logging
import threading

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from core.errors import ConfigError
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest
from service.api.access import Guard, Tokens
from service.api.interceptor import Interceptor
from service.observer import Observer
from service.roles import Role, role_for
from tests.service.every_method import every_method, path
from tests.service.harness import eventually
from tests.service.tiny_model import publish

PREDICT, ADMIN = "a-token-to-predict", "a-token-to-administer"
RECOGNIZE = "/numeral.v1.Recognizer/Recognize"
REFLECT = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
LOAD = "/inference.GRPCInferenceService/RepositoryModelLoad"

NEED_ADMIN = {
    "/inference.GRPCInferenceService/RepositoryModelLoad",
    "/inference.GRPCInferenceService/RepositoryModelUnload",
    "/numeral.v1.Recognizer/ListFeedback",
    "/numeral.v1.Recognizer/DiscardFeedback",
}


@pytest.fixture
def tokens(tmp_path):
    """A file of tokens; write again to change it."""
    file = tmp_path / "tokens"

    def write(*lines):
        file.touch(mode=0o600)
        file.write_text("\n".join(lines))
        return str(file)

    write.file = file
    return write


@pytest.fixture
def call(pixels):
    """Recognize; "" for an answer, else the name of the status and its message."""
    request = RecognizeRequest(pixels=pixels.tobytes()).SerializeToString()

    def ask(server, authorization=None):
        metadata = [("authorization", authorization)] if authorization else []
        with grpc.insecure_channel(server.address) as channel:
            try:
                channel.unary_unary(RECOGNIZE)(request, metadata=metadata, timeout=10)
            except grpc.RpcError as error:
                return f"{error.code().name}: {error.details()}"
        return ""

    return ask


@pytest.fixture
def server(repository, folder, serve, tokens):
    publish(repository, seed=1)
    return serve(folder, tokens_file=tokens(f"predict:{PREDICT}", f"admin:{ADMIN}"))


def test_a_call_with_a_known_token_is_answered(server, call):
    assert call(server, authorization=f"Bearer {PREDICT}") == ""
    assert call(server, authorization=f"bearer {ADMIN}") == "", "admin may do all that predict may"


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        (None, "no token"),
        ("Bearer not-a-token-of-theirs", "not known"),
        ("Bearer", "not known"),
        (f"Basic {PREDICT}", "not a bearer token"),
        (PREDICT, "not a bearer token"),
    ],
)
def test_a_call_without_a_known_token_is_refused_with_the_reason(server, call, authorization, words):
    answer = call(server, authorization=authorization)
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
                await channel.unary_unary(method)(b"", metadata=[("authorization", authorization)], timeout=10)
            except grpc.aio.AioRpcError as error:
                return f"{error.code().name}: {error.details()}"
            finally:
                await server.stop(None)
        return ""

    denied = "PERMISSION_DENIED: the token has the role predict, and this method needs admin"
    assert asyncio.run(answer(f"Bearer {PREDICT}")) == denied
    assert asyncio.run(answer(f"Bearer {ADMIN}")) == ""


async def _empty(_request, _context):
    return b""


def test_a_stream_is_refused_before_its_first_message(server):
    silence = threading.Event()
    requests = (b"" for _ in iter(silence.wait, False))  # none, until the test is over
    with grpc.insecure_channel(server.address) as channel:
        answers = channel.stream_stream(REFLECT)(requests, timeout=10)
        with pytest.raises(grpc.RpcError) as caught:
            next(answers)
        silence.set()
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_probes_need_no_token_and_reflection_does(server):
    with grpc.insecure_channel(server.address) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(HealthCheckRequest().SerializeToString(), timeout=10)
        list_all = channel.unary_unary("/grpc.health.v1.Health/List")
        assert list_all(b"", timeout=10)
        reflect = ServerReflectionStub(channel).ServerReflectionInfo
        listing = [ServerReflectionRequest(list_services="")]
        with pytest.raises(grpc.RpcError) as caught:
            list(reflect(iter(listing), timeout=10))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        present = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        with pytest.raises(grpc.RpcError) as caught:
            list(present(iter([listing[0].SerializeToString()]), timeout=10))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        shown = [("authorization", f"Bearer {PREDICT}")]
        [answer] = reflect(iter(listing), metadata=shown, timeout=10)
        assert "numeral.v1.Recognizer" in [service.name for service in answer.list_services_response.service]


def test_only_the_methods_that_change_the_service_need_the_role_admin():
    needed = {path(method): role_for(path(method)) for method in every_method()}
    assert {method for method, role in needed.items() if role is Role.ADMIN} <= NEED_ADMIN
    assert Role.ANYBODY not in needed.values()


def test_every_method_that_changes_the_service_needs_the_role_admin():
    assert {role_for(method) for method in NEED_ADMIN} == {Role.ADMIN}


def test_tokens_are_changed_without_a_restart_and_without_a_gap(server, call, tokens):
    new = "the-token-after-it"
    tokens(f"predict:{PREDICT}", f"predict:{new}", f"admin:{ADMIN}")
    eventually(lambda: call(server, authorization=f"Bearer {new}") == "")
    assert call(server, authorization=f"Bearer {PREDICT}") == "", "both are good while clients are changed"
    tokens(f"predict:{new}", f"admin:{ADMIN}")
    eventually(lambda: call(server, authorization=f"Bearer {PREDICT}").startswith("UNAUTHENTICATED"))
    assert call(server, authorization=f"Bearer {new}") == ""


def test_a_malformed_new_file_changes_nothing_and_is_logged_without_its_content(server, call, tokens, caplog):
    with caplog.at_level(logging.ERROR, "service.api.access"):
        tokens("a secret that was pasted into the wrong file")
        eventually(lambda: call(server, authorization=f"Bearer {PREDICT}") == "" and caplog.records)
    [record] = caplog.records
    assert "line 1" in record.message
    assert "secret" not in record.message


def test_a_digest_stands_for_its_token(tokens):
    known = Tokens(tokens("# for the scanner", "", f"admin:sha256:{hashlib.sha256(ADMIN.encode()).hexdigest()}"))
    assert known.role_of(ADMIN.encode()) is Role.ADMIN
    assert known.role_of(PREDICT.encode()) is Role.ANYBODY


def test_a_token_that_looks_like_a_digest_is_a_token(tokens):
    token = "0123456789abcdef" * 4
    assert Tokens(tokens(f"predict:{token}")).role_of(token.encode()) is Role.PREDICT


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("predict", "expected predict:TOKEN or admin:TOKEN"),
        ("root:some-long-enough-token", "expected predict:TOKEN or admin:TOKEN"),
        ("predict:tooshort", "at least 16"),
        ("predict:with a space in the middle", "without spaces"),
        ("predict:sha256:abc", "64 hexadecimal digits"),
        ("# nothing", "holds no token"),
    ],
)
def test_a_malformed_line_is_named_but_not_quoted(tokens, line, words):
    with pytest.raises(ConfigError) as caught:
        Tokens(tokens(line))
    assert words in str(caught.value)
    assert line.partition(":")[2] not in str(caught.value) or ":" not in line


def test_a_file_that_anybody_can_read_is_refused(tokens):
    file = tokens(f"predict:{PREDICT}")
    tokens.file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod o="):
        Tokens(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="nowhere"):
        Tokens(str(tmp_path / "nowhere"))


def test_the_log_contains_no_token_whatever_is_sent(repository, folder, start, tokens, call):
    publish(repository, seed=1)
    file = tokens(f"predict:{PREDICT}", f"admin:{ADMIN}")
    process = start("serve", "--repository", folder, "--port", 0, "--tokens-file", file, "--log-level", "debug")
    process.address = process.listening()
    strange = "a-token-that-is-unknown"
    assert call(process, authorization=f"Bearer {PREDICT}") == ""
    assert call(process, authorization=f"Bearer {strange}").startswith("UNAUTHENTICATED")
    assert "serving version 1" in process.log
    assert [secret for secret in (PREDICT, ADMIN, strange) if secret in process.log] == []
