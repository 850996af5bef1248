"""Texts that a client chose in order to do harm, in every text field of every method: a short error, and no more."""

from collections.abc import Iterator

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1.health_pb2 import DESCRIPTOR as HEALTH

from core.artifact.repository import Repository
from protos.inference import open_inference_pb2 as pb
from protos.numeral.v1.recognizer_pb2 import GetDocumentRequest
from service.settings import OFF
from service.wire import CANARY_KEY, REQUEST_ID
from tests.service.every_method import every_method, path
from tests.service.harness import STROKE, running
from tests.service.tiny_model import publish

METHODS = [*every_method(), *HEALTH.services_by_name["Health"].methods]

TEXTS = [
    *("9" * 4301, "9" * 400, "４", "١", "01", "+1"),
    *("n" * 20_000, "\x00", "../" * 300, "🖍" * 1000, "a\r\nb: c", "{" * 60_000),
]

NUMBERS_IN_OTHER_SPELLINGS = ["１", "١", "01", "+1", " 1", "pinned:１"]
"""Each of these would be version 1, which exists, to `int`."""

NEVER = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}

Spot = tuple[str, ...]
"""The names of the fields that lead to a text."""


@pytest.fixture(scope="module")
def channel(tmp_path_factory) -> Iterator[grpc.Channel]:
    """A server with version 1, which all tests of this module share: none of them changes anything."""
    folder = tmp_path_factory.mktemp("models")
    publish(Repository(str(folder), writable=True), seed=1)
    feedback = str(tmp_path_factory.mktemp("feedback"))
    with running(folder, pretrained=OFF, feedback=feedback) as server, grpc.insecure_channel(server.address) as channel:
        yield channel


def spots(kind: Descriptor) -> Iterator[Spot]:
    """Every text field of a kind of message, and the keys of its maps."""
    for field in kind.fields:
        if field.type == FieldDescriptor.TYPE_STRING:
            yield (field.name,)
        elif field.message_type:
            yield from ((field.name, *rest) for rest in spots(field.message_type))


def sound(kind: Descriptor) -> Message:
    """A request that is answered, as far as that is possible without knowing the method."""
    message = GetMessageClass(kind)()
    for field in kind.fields:
        if field.name in ("name", "model_name") and field.containing_type.file.package == "inference":
            setattr(message, field.name, "mnist")
        elif field.name == "pixels":
            message.pixels = STROKE.tobytes()
        elif field.name == "digit":
            message.digit = 1
        elif field.name in ("pictures", "request"):
            place = message.pictures.add() if field.name == "pictures" else message.request
            place.MergeFrom(sound(field.message_type))
    if isinstance(message, GetDocumentRequest):
        message.name = "manifest.json"
    if isinstance(message, pb.ModelInferRequest):
        message.inputs.add(name="image", datatype="UINT8", shape=[1, 784])
        message.raw_input_contents.append(STROKE.tobytes())
    return message


def put(message: Message, spot: Spot, text: str) -> None:
    """Set the text at a spot, in the first entry of each list and map that leads there."""
    name, *rest = spot
    field = message.DESCRIPTOR.fields_by_name[name]
    if not rest:
        setattr(message, name, text)
    elif field.message_type.GetOptions().map_entry:
        entries = getattr(message, name)
        if rest[0] == "key":
            entries[text].SetInParent()
        else:
            put(entries["version"], tuple(rest[1:]), text)
    elif field.is_repeated:
        entries = getattr(message, name)
        put(entries[0] if entries else entries.add(), tuple(rest), text)
    else:
        put(getattr(message, name), tuple(rest), text)


def ask(
    channel: grpc.Channel, method: MethodDescriptor, message: Message, metadata: tuple[tuple[str, str], ...] = ()
) -> tuple[grpc.StatusCode, str]:
    """The status of a call and its sentence. Watching health ends at the first answer."""
    data, name = message.SerializeToString(), path(method)
    try:
        if method.client_streaming:
            list(channel.stream_stream(name)(iter([data]), timeout=60, metadata=metadata))
        elif method.server_streaming:
            call = channel.unary_stream(name)(data, timeout=60, metadata=metadata)
            next(call)
            call.cancel()
        else:
            channel.unary_unary(name)(data, timeout=60, metadata=metadata)
    except grpc.RpcError as error:
        return error.code(), error.details()
    return grpc.StatusCode.OK, ""


@pytest.mark.parametrize("method", METHODS, ids=path)
def test_a_hostile_text_in_any_field_has_a_short_error_and_never_an_internal_one(channel, method):
    for spot in spots(method.input_type):
        for text in TEXTS:
            message = sound(method.input_type)
            put(message, spot, text)
            code, sentence = ask(channel, method, message)
            assert code not in NEVER, f"{spot} {text[:10]!r}: {code.name}: {sentence[:200]}"
            assert len(sentence.encode()) < 1100, spot


@pytest.mark.parametrize("method", METHODS, ids=path)
def test_a_version_in_another_spelling_than_its_own_is_not_found(channel, method):
    for spot in spots(method.input_type):
        if spot[-1] in ("model_version", "version") and not method.client_streaming:
            for text in NUMBERS_IN_OTHER_SPELLINGS:
                message = sound(method.input_type)
                put(message, spot, text)
                assert ask(channel, method, message)[0] is grpc.StatusCode.NOT_FOUND, (spot, text)


@pytest.mark.parametrize("method", [one for one in METHODS if one.client_streaming], ids=path)
def test_a_hostile_text_in_a_stream_is_the_problem_of_its_request_alone(channel, method):
    good = sound(method.input_type)
    for spot in spots(method.input_type):
        for text in TEXTS + NUMBERS_IN_OTHER_SPELLINGS:
            bad = sound(method.input_type)
            put(bad, spot, text)
            requests = [one.SerializeToString() for one in (good, bad, good)]
            responses = list(channel.stream_stream(path(method))(iter(requests), timeout=60))
            assert len(responses) == 3, (spot, text[:10])
            assert max(map(len, responses)) < 8192, "also what is repeated of the request is short"


@pytest.mark.parametrize("key", [REQUEST_ID, CANARY_KEY, "authorization", "anything"])
@pytest.mark.parametrize("text", ["9" * 4301, "~;" * 500, "-"])
def test_a_hostile_text_in_the_metadata_changes_nothing(channel, key, text):
    [recognize] = [one for one in METHODS if one.name == "Recognize"]
    assert ask(channel, recognize, sound(recognize.input_type), ((key, text),))[0] is grpc.StatusCode.OK
