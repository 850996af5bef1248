"""A client for the service: it takes a picture, and gives a `Reading`.

from service.client import Recognizer

with Recognizer("localhost:8500") as client:
    reading = client.recognize("seven.png")
print(reading.digit, reading.confidence)

`AsyncRecognizer` is the same for asyncio. The client imports only `service.wire` and `service.roles` of the service.
"""

from service.client.aio import AsyncRecognizer
from service.client.answers import Explanation, Model
from service.client.blocking import Recognizer
from service.client.failures import (
    AccessError,
    DeadlineError,
    NotFoundError,
    OverloadedError,
    RequestError,
    ServiceError,
    UnreachableError,
)
from service.wire import Box, Found, Reading

__all__ = [
    "AccessError",
    "AsyncRecognizer",
    "Box",
    "DeadlineError",
    "Explanation",
    "Found",
    "Model",
    "NotFoundError",
    "OverloadedError",
    "Reading",
    "Recognizer",
    "RequestError",
    "ServiceError",
    "UnreachableError",
]
