"""The documented import path of the asyncio client: `from service.aio_client import AsyncRecognizer`."""

from service.client.aio import AsyncRecognizer

__all__ = ["AsyncRecognizer"]
