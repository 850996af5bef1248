"""A client for the service: it takes a picture, and gives a `Reading`.

from service.client import Recognizer

with Recognizer("localhost:8500") as client:
    reading = client.recognize("seven.png")
print(reading.digit, reading.confidence)

`AsyncRecognizer` is the same for asyncio. The client imports only `wire`, `roles` and `texts` of the service.
"""

from service.client.aio import AsyncRecognizer
from service.client.answers import Explanation, Model
from service.client.blocking import Recognizer
from service.client.failures import (
    AccessError,
    ArgumentError,
    ClosedError,
    DeadlineError,
    MissingFileError,
    NotFoundError,
    OverloadedError,
    PictureFileError,
    RefusedError,
    RequestError,
    ServiceError,
    UnreachableError,
)
from service.client.listed import Move, Versions, VersionSummary
from service.client.looked import Inside, Stage
from service.client.reviewed import FeedbackEntry, FeedbackPage
from service.wire import Box, Found, Reading

__all__ = [
    "AccessError",
    "ArgumentError",
    "AsyncRecognizer",
    "Box",
    "ClosedError",
    "DeadlineError",
    "Explanation",
    "FeedbackEntry",
    "FeedbackPage",
    "Found",
    "Inside",
    "MissingFileError",
    "Model",
    "Move",
    "NotFoundError",
    "OverloadedError",
    "PictureFileError",
    "Reading",
    "Recognizer",
    "RefusedError",
    "RequestError",
    "ServiceError",
    "Stage",
    "UnreachableError",
    "VersionSummary",
    "Versions",
]
