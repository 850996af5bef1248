"""Texts and bytes that no client in its right mind sends, in every method."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import grpc
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from benchmarks.attacks.arena import PICTURE, Arena, open_channel, unary
from benchmarks.attacks.arena import streaming as stream
from benchmarks.attacks.attack import Attack, Figure
from protos.inference import open_inference_pb2
from protos.numeral.v1 import recognizer_pb2
from service.roles import METHODS

__all__ = ["HostileTexts", "MalformedMessages", "garbage"]

LONGEST_ERROR = 1000
"""Characters."""

DIGITS = ("４", "١", "01")
"""Numbers in spellings that name no version."""

TEXTS = ("9" * 4301, "x" * 20_000, "\0", "\n" * 300, "../../etc/passwd", "%s{}", *DIGITS)
SERVICES = (
    recognizer_pb2.DESCRIPTOR.services_by_name["Recognizer"],
    open_inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"],
)
ROUNDS = 20


def _methods() -> list[MethodDescriptor]:
    return [method for service in SERVICES for method in service.methods]


def _path(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def _filled(message: Any, depth: int = 3) -> Any:
    """A message that would be answered, with an entry in each of its lists and maps, as far as `depth`."""
    for field in message.DESCRIPTOR.fields:
        if field.name == "pixels":
            message.pixels = PICTURE
        elif field.name in ("model_name", "name") and message.DESCRIPTOR.name.startswith("Model"):
            setattr(message, field.name, "mnist")
        elif field.type == FieldDescriptor.TYPE_MESSAGE and depth and not field.message_type.GetOptions().map_entry:
            inner = getattr(message, field.name)
            _filled(inner.add() if field.is_repeated else inner, depth - 1)
    return message


def _with_text(message: Any, text: str, depth: int = 3) -> Iterator[str]:
    """Put a text into each field of text of a message in turn, the innermost too; yields the field's name each time."""
    for field in message.DESCRIPTOR.fields:
        if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
            before = getattr(message, field.name)
            setattr(message, field.name, text)
            yield field.name
            setattr(message, field.name, before)
        elif field.type == FieldDescriptor.TYPE_MESSAGE and field.message_type.GetOptions().map_entry:
            entries = getattr(message, field.name)
            if "string_param" in field.message_type.fields_by_name["value"].message_type.fields_by_name:
                for key in (text, "version", "sequence_id"):
                    entries[key].string_param = text
                    yield f"{field.name}[{key[:9]}]"
                    del entries[key]
        elif field.type == FieldDescriptor.TYPE_MESSAGE and depth:
            inner: Any = getattr(message, field.name)
            for part in inner if field.is_repeated else (inner,):
                yield from _with_text(part, text, depth - 1)


@dataclass(frozen=True)
class Replies:
    """How many messages were sent, and those whose reply was wrong, in words."""

    sent: int
    wrong: tuple[str, ...]


class HostileTexts(Attack[Replies]):
    """Texts that are long, odd or numbers in other spellings, in each field of each method: refused in a sentence."""

    name = "hostile-texts"

    def act(self, arena: Arena) -> Replies:
        """Send each text in each field."""
        sent, wrong = 0, []
        with arena.service(arena.models().url) as service, open_channel(service.port) as channel:
            for method in _methods():
                for text in TEXTS:
                    message = _filled(GetMessageClass(method.input_type)())
                    for field in _with_text(message, text):
                        sent += 1
                        if finding := _finding(channel, method, message, text, field):
                            wrong.append(f"{method.name}.{field} = {text[:9]!r}: {finding}")
        return Replies(sent, tuple(wrong))

    def judge(self, seen: Replies) -> tuple[Figure, ...]:
        """The wrong replies, with an example."""
        example = f" (such as {seen.wrong[0]})" if seen.wrong else ""
        return (Figure(f"of {seen.sent} messages, answered wrongly{example}", len(seen.wrong), 0, "messages"),)


def _finding(channel: grpc.Channel, method: MethodDescriptor, message: Message, text: str, field: str) -> str:
    """What is wrong with the reply to a message; "" if nothing is."""
    code, details, items = reply(channel, _path(method), message.SerializeToString(), streaming=method.client_streaming)
    if code in ("INTERNAL", "UNKNOWN"):
        return code
    if "metadata size exceeds" in details:
        return "the reply is broken"
    if len(details) > LONGEST_ERROR:
        return f"an error of {len(details):,} characters"
    names_version = text in DIGITS and field in ("model_version", "version", "parameters[version]")
    if names_version and code == "OK" and not any(_is_refusal(method, item) for item in items):
        return "taken for a version"
    if method.client_streaming and code != "OK":
        return f"it ended the stream: {code}"
    return ""


def _is_refusal(method: MethodDescriptor, item: bytes) -> bool:
    """Whether an item of a stream refuses its request."""
    message: Any = GetMessageClass(method.output_type).FromString(item)
    return bool(message.outcome.HasField("problem") if method.name == "RecognizeStream" else message.error_message)


def reply(channel: grpc.Channel, path: str, data: bytes, *, streaming: bool) -> tuple[str, str, list[bytes]]:
    """The status of a call with one message, its details, and the items of a stream."""
    items = []
    try:
        if streaming:
            items = list(stream(channel, path)(iter([data]), timeout=30))
        else:
            unary(channel, path)(data, timeout=90)
    except grpc.RpcError as error:
        return error.code().name, error.details() or "", items
    return "OK", "", items


def garbage(random: Random) -> bytes:
    """Bytes that are no message, or one by chance."""
    return b"\xff" * random.randrange(1, 9) + random.randbytes(random.randrange(200))


class MalformedMessages(Attack[Replies]):
    """Bytes that are no message, to every method, health and reflection too: INVALID_ARGUMENT, and no traceback."""

    name = "malformed-messages"

    def act(self, arena: Arena) -> Replies:
        """Send random bytes, and look into the log."""
        sent, wrong, random = 0, [], Random(0)  # noqa: S311 — nothing secret
        streaming = {_path(method) for method in _methods() if method.client_streaming}
        with arena.service(arena.models().url, "--channelz") as service, open_channel(service.port) as channel:
            for path in (f"/{name}/{method}" for name, methods in METHODS.items() for method in methods):
                is_stream = path in streaming or path.endswith("ServerReflectionInfo")
                for _ in range(ROUNDS):
                    if path.endswith("/Watch"):
                        continue  # a stream of responses, which a message by chance would open for good
                    sent += 1
                    code, _, _ = reply(channel, path, garbage(random), streaming=is_stream)
                    if code in ("INTERNAL", "UNKNOWN"):
                        wrong.append(f"{path}: {code}")
            if tracebacks := service.log.count("Traceback"):
                wrong.append(f"{tracebacks} tracebacks in the log")
        return Replies(sent, tuple(wrong))

    judge = HostileTexts.judge
