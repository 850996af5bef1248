"""Request ids, log lines and traces of a running server."""

import io
import json
import logging
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from protos.numeral.v1.recognizer_pb2 import RecognizeRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.telemetry import logs
from tests.patience import eventually
from tests.service.harness import drawing
from tests.service.tiny_model import publish

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def call():
    """Recognize with metadata; the trailing metadata of the answer or of the error."""

    def ask(address, request, *metadata):
        with grpc.insecure_channel(address) as channel:
            try:
                _, called = RecognizerStub(channel).Recognize.with_call(request, metadata=metadata, timeout=60)
            except grpc.RpcError as error:
                called = error
            return dict(called.trailing_metadata())

    return ask


def test_a_call_keeps_the_id_that_its_client_sent(repository, folder, serve, call, pixels):
    publish(repository, seed=1)
    server = serve(folder)
    named = ("x-request-id", "order-66/7")
    assert call(server.address, RecognizeRequest(pixels=pixels.tobytes()), named)["x-request-id"] == "order-66/7"
    refused = call(server.address, RecognizeRequest(), named)
    assert refused["x-request-id"] == "order-66/7"
    assert refused["numeral-error"] == "PictureUnreadableError"


@pytest.mark.parametrize("metadata", [[], [("x-request-id", "x" * 129)], [("x-request-id", 'a "quoted" name')]])
def test_a_call_without_a_usable_id_gets_a_new_one_which_only_refusals_return(
    repository, folder, serve, call, pixels, metadata
):
    publish(repository, seed=1)
    server = serve(folder)
    assert "x-request-id" not in call(server.address, RecognizeRequest(pixels=pixels.tobytes()), *metadata)
    names = [call(server.address, RecognizeRequest(), *metadata)["x-request-id"] for _ in range(2)]
    assert names[0] != names[1]
    assert all(name not in dict(metadata).values() for name in names)


def test_log_lines_are_json_with_the_id_of_the_call_and_without_its_picture(repository, folder, start, call, tmp_path):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0, "--access-log", "--log-level", "debug")
    address = process.listening()
    picture = drawing()
    call(address, RecognizeRequest(encoded=picture), ("x-request-id", "first"))
    call(address, RecognizeRequest(encoded=b"secret of a picture"), ("x-request-id", "second"))
    eventually(lambda: '"second"' in process.log)
    lines = [json.loads(line) for line in process.log.splitlines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    access = {line["request_id"]: line for line in lines if line["logger"] == "service.telemetry.logs"}
    assert access["first"]["method"] == "/numeral.v1.Recognizer/Recognize"
    assert (access["first"]["code"], access["second"]["code"]) == ("OK", "INVALID_ARGUMENT")
    assert access["first"]["milliseconds"] > 0
    assert "secret of a picture" not in process.log


def test_log_lines_are_text_if_the_setting_says_so(repository, folder, start):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0, "--log-format", "text")
    process.listening()
    eventually(lambda: "INFO serving version 1" in process.log)
    assert not any(line.startswith("{") for line in process.log.splitlines())


def test_a_promotion_is_logged_by_the_service_alone(repository, folder, start):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0, "--log-format", "json")
    process.listening()
    publish(repository, seed=2)
    eventually(lambda: "serving version 2" in process.log)
    lines = [json.loads(line) for line in process.log.splitlines()]
    assert [line["message"] for line in lines if not line["logger"].startswith("service.")] == []


def test_an_exception_is_part_of_its_one_line_of_json():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines())
    log = logging.Logger("a test")
    log.addHandler(handler)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        log.exception("it went wrong:\n%s", "in two lines")
    [line] = stream.getvalue().splitlines()
    found = json.loads(line)
    assert found["message"] == "it went wrong:\nin two lines"
    assert "ValueError: two\nlines" in found["exception"]


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """A real OTLP collector: it stores what it receives."""

    def __init__(self):
        self.resources = []

    def Export(self, request, _context):  # noqa: N802 — the name in the .proto file
        self.resources += request.resource_spans
        return trace_service_pb2.ExportTraceServiceResponse()

    def spans(self):
        return {s.name: s for r in self.resources for scope in r.scope_spans for s in scope.spans}


@pytest.fixture
def collector():
    server = grpc.server(ThreadPoolExecutor(2))
    found = Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(found, server)
    found.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield found
    server.stop(None)


def attributes(span):
    values = {item.key: item.value for item in span.attributes}
    return {key: getattr(value, value.WhichOneof("value")) for key, value in values.items()}


def test_a_call_is_traced_as_a_part_of_its_clients_trace(repository, folder, serve, call, collector, monkeypatch):
    publish(repository, seed=1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    server = serve(folder)
    call(server.address, RecognizeRequest(encoded=drawing()), ("traceparent", f"00-{TRACE}-{PARENT}-01"))
    eventually(lambda: len(collector.spans()) == 3)
    spans = collector.spans()
    whole, decode, compute = (spans[name] for name in ("numeral.v1.Recognizer/Recognize", "decode", "compute"))
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE}
    assert whole.parent_span_id.hex() == PARENT
    assert decode.parent_span_id == compute.parent_span_id == whole.span_id
    assert attributes(whole)["rpc.method"] == "Recognize"
    assert attributes(whole)["rpc.grpc.status_code"] == 0
    assert attributes(decode) == {"numeral.pictures": 1}
    assert attributes(compute) == {"numeral.version": "1", "numeral.batch_size": 1, "numeral.rejected": 0}
    assert whole.start_time_unix_nano <= compute.start_time_unix_nano <= compute.end_time_unix_nano
    [named] = {attributes(resource.resource)["service.name"] for resource in collector.resources}
    assert named == "numeral"


def test_only_errors_of_the_server_are_errors_in_a_trace(repository, folder, serve, call, collector, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    server = serve(folder)
    call(server.address, RecognizeRequest(encoded=drawing()))  # no model yet
    name = "numeral.v1.Recognizer/Recognize"
    eventually(lambda: name in collector.spans())
    assert collector.spans()[name].status.code == 2
    collector.resources.clear()
    publish(repository, seed=1)
    call(server.address, RecognizeRequest())  # no picture
    eventually(lambda: name in collector.spans())
    assert collector.spans()[name].status.code == 0


def test_an_unreachable_collector_delays_nothing(repository, folder, start, call, pixels):
    publish(repository, seed=1)
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    process = start("serve", "--repository", folder, "--port", 0, env=environment)
    address = process.listening()
    assert "numeral-error" not in call(address, RecognizeRequest(pixels=pixels.tobytes()))
    process.popen.terminate()
    assert process.end().returncode == 0
