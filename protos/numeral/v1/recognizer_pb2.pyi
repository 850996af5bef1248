import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecognizeRequest(_message.Message):
    __slots__ = ("encoded", "pixels", "model_version", "want_pixels")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    WANT_PIXELS_FIELD_NUMBER: _ClassVar[int]
    encoded: bytes
    pixels: bytes
    model_version: str
    want_pixels: bool
    def __init__(self, encoded: _Optional[bytes] = ..., pixels: _Optional[bytes] = ..., model_version: _Optional[str] = ..., want_pixels: bool = ...) -> None: ...

class RecognizeResponse(_message.Message):
    __slots__ = ("digit", "probabilities", "confidence", "reply_id", "rejected", "digitness", "pixels", "model_version", "weights_sha256")
    DIGIT_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    REPLY_ID_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    DIGITNESS_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_SHA256_FIELD_NUMBER: _ClassVar[int]
    digit: int
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    confidence: float
    reply_id: str
    rejected: str
    digitness: float
    pixels: bytes
    model_version: str
    weights_sha256: str
    def __init__(self, digit: _Optional[int] = ..., probabilities: _Optional[_Iterable[float]] = ..., confidence: _Optional[float] = ..., reply_id: _Optional[str] = ..., rejected: _Optional[str] = ..., digitness: _Optional[float] = ..., pixels: _Optional[bytes] = ..., model_version: _Optional[str] = ..., weights_sha256: _Optional[str] = ...) -> None: ...

class Picture(_message.Message):
    __slots__ = ("encoded", "pixels")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    encoded: bytes
    pixels: bytes
    def __init__(self, encoded: _Optional[bytes] = ..., pixels: _Optional[bytes] = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ("code", "message", "kind")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    kind: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., kind: _Optional[str] = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ("answer", "problem")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    answer: RecognizeResponse
    problem: Problem
    def __init__(self, answer: _Optional[_Union[RecognizeResponse, _Mapping]] = ..., problem: _Optional[_Union[Problem, _Mapping]] = ...) -> None: ...

class RecognizeBatchRequest(_message.Message):
    __slots__ = ("pictures", "model_version")
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    pictures: _containers.RepeatedCompositeFieldContainer[Picture]
    model_version: str
    def __init__(self, pictures: _Optional[_Iterable[_Union[Picture, _Mapping]]] = ..., model_version: _Optional[str] = ...) -> None: ...

class RecognizeBatchResponse(_message.Message):
    __slots__ = ("outcomes",)
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[Outcome]
    def __init__(self, outcomes: _Optional[_Iterable[_Union[Outcome, _Mapping]]] = ...) -> None: ...

class RecognizeStreamRequest(_message.Message):
    __slots__ = ("request", "id")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    request: RecognizeRequest
    id: str
    def __init__(self, request: _Optional[_Union[RecognizeRequest, _Mapping]] = ..., id: _Optional[str] = ...) -> None: ...

class RecognizeStreamResponse(_message.Message):
    __slots__ = ("outcome", "id")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    id: str
    def __init__(self, outcome: _Optional[_Union[Outcome, _Mapping]] = ..., id: _Optional[str] = ...) -> None: ...

class RecognizeManyRequest(_message.Message):
    __slots__ = ("encoded", "pixels", "model_version")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    encoded: bytes
    pixels: bytes
    model_version: str
    def __init__(self, encoded: _Optional[bytes] = ..., pixels: _Optional[bytes] = ..., model_version: _Optional[str] = ...) -> None: ...

class RecognizeManyResponse(_message.Message):
    __slots__ = ("digits", "width", "height")
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    digits: _containers.RepeatedCompositeFieldContainer[FoundDigit]
    width: int
    height: int
    def __init__(self, digits: _Optional[_Iterable[_Union[FoundDigit, _Mapping]]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ...) -> None: ...

class FoundDigit(_message.Message):
    __slots__ = ("box", "answer")
    BOX_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    box: Box
    answer: RecognizeResponse
    def __init__(self, box: _Optional[_Union[Box, _Mapping]] = ..., answer: _Optional[_Union[RecognizeResponse, _Mapping]] = ...) -> None: ...

class Box(_message.Message):
    __slots__ = ("left", "top", "right", "bottom")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    BOTTOM_FIELD_NUMBER: _ClassVar[int]
    left: int
    top: int
    right: int
    bottom: int
    def __init__(self, left: _Optional[int] = ..., top: _Optional[int] = ..., right: _Optional[int] = ..., bottom: _Optional[int] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("encoded", "pixels", "model_version", "digit")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGIT_FIELD_NUMBER: _ClassVar[int]
    encoded: bytes
    pixels: bytes
    model_version: str
    digit: int
    def __init__(self, encoded: _Optional[bytes] = ..., pixels: _Optional[bytes] = ..., model_version: _Optional[str] = ..., digit: _Optional[int] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("answer", "digit", "saliency", "pixels")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    DIGIT_FIELD_NUMBER: _ClassVar[int]
    SALIENCY_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    answer: RecognizeResponse
    digit: int
    saliency: _containers.RepeatedScalarFieldContainer[float]
    pixels: bytes
    def __init__(self, answer: _Optional[_Union[RecognizeResponse, _Mapping]] = ..., digit: _Optional[int] = ..., saliency: _Optional[_Iterable[float]] = ..., pixels: _Optional[bytes] = ...) -> None: ...

class LookInsideRequest(_message.Message):
    __slots__ = ("encoded", "pixels", "model_version")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    encoded: bytes
    pixels: bytes
    model_version: str
    def __init__(self, encoded: _Optional[bytes] = ..., pixels: _Optional[bytes] = ..., model_version: _Optional[str] = ...) -> None: ...

class LookInsideResponse(_message.Message):
    __slots__ = ("answer", "pixels", "stages")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    answer: RecognizeResponse
    pixels: bytes
    stages: _containers.RepeatedCompositeFieldContainer[Stage]
    def __init__(self, answer: _Optional[_Union[RecognizeResponse, _Mapping]] = ..., pixels: _Optional[bytes] = ..., stages: _Optional[_Iterable[_Union[Stage, _Mapping]]] = ...) -> None: ...

class Stage(_message.Message):
    __slots__ = ("name", "kind", "settings", "shape", "levels", "low", "high", "parameters")
    class SettingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    settings: _containers.ScalarMap[str, str]
    shape: _containers.RepeatedScalarFieldContainer[int]
    levels: bytes
    low: float
    high: float
    parameters: int
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., settings: _Optional[_Mapping[str, str]] = ..., shape: _Optional[_Iterable[int]] = ..., levels: _Optional[bytes] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., parameters: _Optional[int] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ("model_version",)
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    model_version: str
    def __init__(self, model_version: _Optional[str] = ...) -> None: ...

class GetModelResponse(_message.Message):
    __slots__ = ("name", "labels", "created", "recipe", "parameters", "input_shape", "test", "temperature", "aliases", "model_version", "weights_sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    INPUT_SHAPE_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    created: _timestamp_pb2.Timestamp
    recipe: str
    parameters: int
    input_shape: _containers.RepeatedScalarFieldContainer[int]
    test: TestResult
    temperature: float
    aliases: _containers.RepeatedScalarFieldContainer[str]
    model_version: str
    weights_sha256: str
    def __init__(self, name: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., created: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recipe: _Optional[str] = ..., parameters: _Optional[int] = ..., input_shape: _Optional[_Iterable[int]] = ..., test: _Optional[_Union[TestResult, _Mapping]] = ..., temperature: _Optional[float] = ..., aliases: _Optional[_Iterable[str]] = ..., model_version: _Optional[str] = ..., weights_sha256: _Optional[str] = ...) -> None: ...

class TestResult(_message.Message):
    __slots__ = ("images", "accuracy", "accuracy_low", "accuracy_high", "calibration_error")
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_LOW_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_HIGH_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_ERROR_FIELD_NUMBER: _ClassVar[int]
    images: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    calibration_error: float
    def __init__(self, images: _Optional[int] = ..., accuracy: _Optional[float] = ..., accuracy_low: _Optional[float] = ..., accuracy_high: _Optional[float] = ..., calibration_error: _Optional[float] = ...) -> None: ...

class GetCardRequest(_message.Message):
    __slots__ = ("model_version",)
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    model_version: str
    def __init__(self, model_version: _Optional[str] = ...) -> None: ...

class GetCardResponse(_message.Message):
    __slots__ = ("markdown", "model_version")
    MARKDOWN_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    markdown: str
    model_version: str
    def __init__(self, markdown: _Optional[str] = ..., model_version: _Optional[str] = ...) -> None: ...

class ListVersionsRequest(_message.Message):
    __slots__ = ("page_size", "page")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page: str
    def __init__(self, page_size: _Optional[int] = ..., page: _Optional[str] = ...) -> None: ...

class ListVersionsResponse(_message.Message):
    __slots__ = ("versions", "next_page", "serving", "why", "policy", "loaded_by_hand", "pinned")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_FIELD_NUMBER: _ClassVar[int]
    SERVING_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    LOADED_BY_HAND_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[Version]
    next_page: str
    serving: str
    why: str
    policy: str
    loaded_by_hand: _containers.RepeatedScalarFieldContainer[str]
    pinned: str
    def __init__(self, versions: _Optional[_Iterable[_Union[Version, _Mapping]]] = ..., next_page: _Optional[str] = ..., serving: _Optional[str] = ..., why: _Optional[str] = ..., policy: _Optional[str] = ..., loaded_by_hand: _Optional[_Iterable[str]] = ..., pinned: _Optional[str] = ...) -> None: ...

class Version(_message.Message):
    __slots__ = ("model_version", "created", "recipe", "parameters", "test_accuracy", "validation_accuracy", "weights_sha256", "aliases", "state", "reason", "verdict", "trouble")
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    TEST_ACCURACY_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_ACCURACY_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_SHA256_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    TROUBLE_FIELD_NUMBER: _ClassVar[int]
    model_version: str
    created: _timestamp_pb2.Timestamp
    recipe: str
    parameters: int
    test_accuracy: float
    validation_accuracy: float
    weights_sha256: str
    aliases: _containers.RepeatedScalarFieldContainer[str]
    state: str
    reason: str
    verdict: str
    trouble: str
    def __init__(self, model_version: _Optional[str] = ..., created: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recipe: _Optional[str] = ..., parameters: _Optional[int] = ..., test_accuracy: _Optional[float] = ..., validation_accuracy: _Optional[float] = ..., weights_sha256: _Optional[str] = ..., aliases: _Optional[_Iterable[str]] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., verdict: _Optional[str] = ..., trouble: _Optional[str] = ...) -> None: ...

class ListMovesRequest(_message.Message):
    __slots__ = ("alias", "page_size", "page")
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    alias: str
    page_size: int
    page: str
    def __init__(self, alias: _Optional[str] = ..., page_size: _Optional[int] = ..., page: _Optional[str] = ...) -> None: ...

class ListMovesResponse(_message.Message):
    __slots__ = ("moves", "next_page")
    MOVES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_FIELD_NUMBER: _ClassVar[int]
    moves: _containers.RepeatedCompositeFieldContainer[Move]
    next_page: str
    def __init__(self, moves: _Optional[_Iterable[_Union[Move, _Mapping]]] = ..., next_page: _Optional[str] = ...) -> None: ...

class Move(_message.Message):
    __slots__ = ("number", "version", "previous", "at", "by", "why")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    number: int
    version: str
    previous: str
    at: _timestamp_pb2.Timestamp
    by: str
    why: str
    def __init__(self, number: _Optional[int] = ..., version: _Optional[str] = ..., previous: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., by: _Optional[str] = ..., why: _Optional[str] = ...) -> None: ...

class GetDocumentRequest(_message.Message):
    __slots__ = ("model_version", "name")
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    model_version: str
    name: str
    def __init__(self, model_version: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class GetDocumentResponse(_message.Message):
    __slots__ = ("content", "media_type", "model_version")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    media_type: str
    model_version: str
    def __init__(self, content: _Optional[bytes] = ..., media_type: _Optional[str] = ..., model_version: _Optional[str] = ...) -> None: ...

class PinVersionRequest(_message.Message):
    __slots__ = ("model_version",)
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    model_version: str
    def __init__(self, model_version: _Optional[str] = ...) -> None: ...

class PinVersionResponse(_message.Message):
    __slots__ = ("model_version",)
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    model_version: str
    def __init__(self, model_version: _Optional[str] = ...) -> None: ...

class SendFeedbackRequest(_message.Message):
    __slots__ = ("encoded", "pixels", "digit", "reply_id")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    DIGIT_FIELD_NUMBER: _ClassVar[int]
    REPLY_ID_FIELD_NUMBER: _ClassVar[int]
    encoded: bytes
    pixels: bytes
    digit: int
    reply_id: str
    def __init__(self, encoded: _Optional[bytes] = ..., pixels: _Optional[bytes] = ..., digit: _Optional[int] = ..., reply_id: _Optional[str] = ...) -> None: ...

class SendFeedbackResponse(_message.Message):
    __slots__ = ("item", "added")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    item: str
    added: bool
    def __init__(self, item: _Optional[str] = ..., added: bool = ...) -> None: ...

class ListFeedbackRequest(_message.Message):
    __slots__ = ("page_size", "page")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page: str
    def __init__(self, page_size: _Optional[int] = ..., page: _Optional[str] = ...) -> None: ...

class ListFeedbackResponse(_message.Message):
    __slots__ = ("items", "next_page")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[FeedbackItem]
    next_page: str
    def __init__(self, items: _Optional[_Iterable[_Union[FeedbackItem, _Mapping]]] = ..., next_page: _Optional[str] = ...) -> None: ...

class FeedbackItem(_message.Message):
    __slots__ = ("item", "digit", "pixels", "received", "reply_id", "trouble", "accepted")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    DIGIT_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    REPLY_ID_FIELD_NUMBER: _ClassVar[int]
    TROUBLE_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    item: str
    digit: int
    pixels: bytes
    received: _timestamp_pb2.Timestamp
    reply_id: str
    trouble: str
    accepted: bool
    def __init__(self, item: _Optional[str] = ..., digit: _Optional[int] = ..., pixels: _Optional[bytes] = ..., received: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reply_id: _Optional[str] = ..., trouble: _Optional[str] = ..., accepted: bool = ...) -> None: ...

class DiscardFeedbackRequest(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: str
    def __init__(self, item: _Optional[str] = ...) -> None: ...

class DiscardFeedbackResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AcceptFeedbackRequest(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: str
    def __init__(self, item: _Optional[str] = ...) -> None: ...

class AcceptFeedbackResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
