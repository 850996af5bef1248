"""Hypothesis strategies for any protobuf message, from its descriptor: fields that are added later are filled too."""

import numpy as np
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

from tests.service.harness import drawing

DEEPEST = 4
"""The depth of nested messages; deeper ones stay empty."""

WORDS = ("", "mnist", "1", "2", "champion", "pretrained", "image", "probabilities", "digit", "UINT8", "FP32", "BYTES")
WORDS += ("manifest.json", "report.html", "card.md", "challenger", "weights.safetensors", "../1/card.md")
"""Texts with a meaning to the service: random text alone would not pass the first check."""

PICTURES = (b"", drawing(), drawing()[:60], bytes(784), bytes(783), np.zeros(784, "<f4").tobytes(), b"\xff" * 64)
SHAPES = (-1, 0, 1, 2, 28, 784)

_BITS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}


def any_message(descriptor: Descriptor, depth: int = 0) -> st.SearchStrategy[Message]:
    """A message with any of its fields set to valid, nearly valid or random values."""

    @st.composite
    def build(draw: st.DrawFn) -> Message:
        message = GetMessageClass(descriptor)()
        if depth < DEEPEST:
            for field in draw(
                st.lists(st.sampled_from(list(descriptor.fields)), unique_by=lambda f: f.number, max_size=6)
            ):
                _fill(draw, message, field, depth)
        return message

    return build() if descriptor.fields else st.builds(GetMessageClass(descriptor))


def _fill(draw: st.DrawFn, message: Message, field: FieldDescriptor, depth: int) -> None:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        key, value = kind.fields_by_name["key"], kind.fields_by_name["value"]
        for name in draw(st.lists(_scalars(key), max_size=2)):
            if value.message_type:
                getattr(message, field.name)[name].CopyFrom(draw(any_message(value.message_type, depth + 1)))
            else:
                getattr(message, field.name)[name] = draw(_scalars(value))
    elif field.is_repeated:
        element = any_message(kind, depth + 1) if kind else _scalars(field)
        getattr(message, field.name).extend(draw(st.lists(element, max_size=4)))
    elif kind:
        getattr(message, field.name).CopyFrom(draw(any_message(kind, depth + 1)))
    else:
        setattr(message, field.name, draw(_scalars(field)))


def _scalars(field: FieldDescriptor) -> st.SearchStrategy[object]:
    kind = field.cpp_type
    if kind in _BITS:
        low, high = _BITS[kind]
        return st.sampled_from([n for n in SHAPES if n >= low]) | st.integers(low, high)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return st.booleans()
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return st.sampled_from([value.number for value in field.enum_type.values])
    if kind in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
        return st.floats(width=32)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.sampled_from(PICTURES) | st.binary(max_size=200)
    return st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8"), max_size=20)
