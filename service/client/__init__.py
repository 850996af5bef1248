"""A client for the service: give it a picture, get a `Reading`.

from service.client import Recognizer

with Recognizer("localhost:8500") as client:
    reading = client.recognize("seven.png")
print(reading.digit, reading.confidence)

`AsyncRecognizer` is the same for asyncio. Stands on `service.wire` and `service.roles` alone.
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
from service.wire import Reading

__all__ = [
    "AccessError",
    "AsyncRecognizer",
    "DeadlineError",
    "Explanation",
    "Model",
    "NotFoundError",
    "OverloadedError",
    "Reading",
    "Recognizer",
    "RequestError",
    "ServiceError",
    "UnreachableError",
]
