from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class RecognizeRequest(_message.Message):
    __slots__ = ("encoded", "pixels")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    encoded: bytes
    pixels: bytes
    def __init__(self, encoded: _Optional[bytes] = ..., pixels: _Optional[bytes] = ...) -> None: ...

class RecognizeResponse(_message.Message):
    __slots__ = ("digit", "probabilities", "confidence", "model_version", "weights_sha256")
    DIGIT_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_SHA256_FIELD_NUMBER: _ClassVar[int]
    digit: int
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    confidence: float
    model_version: str
    weights_sha256: str
    def __init__(self, digit: _Optional[int] = ..., probabilities: _Optional[_Iterable[float]] = ..., confidence: _Optional[float] = ..., model_version: _Optional[str] = ..., weights_sha256: _Optional[str] = ...) -> None: ...
