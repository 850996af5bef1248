"""A client for the service: give it a picture, get a `Reading`.

from service.client import Recognizer

with Recognizer("localhost:8500") as client:
    reading = client.recognize("seven.png")
print(reading.digit, reading.confidence)
"""

from collections.abc import Callable
from io import BytesIO
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import grpc
from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from core.errors import NoDigitError, NumeralError, PictureError, PictureTooLargeError, PictureUnreadableError
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest, RecognizeResponse
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.reading import ERROR_METADATA, Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Picture = str | PathLike[str] | bytes | Image | NDArray[np.uint8]

__all__ = ["DeadlineError", "Reading", "Recognizer", "ServiceError", "UnreachableError"]

DEFAULT_TIMEOUT = 10.0
"""Seconds."""


class ServiceError(NumeralError):
    """The service gave no answer."""


class UnreachableError(ServiceError):
    """No server answers at the address, or the one that does has no model yet."""


class DeadlineError(ServiceError):
    """The answer took longer than it was given."""


class Recognizer:
    """A connection to one server. Any number of threads may use it at once; it reconnects by itself."""

    def __init__(self, address: str, *, timeout: float = DEFAULT_TIMEOUT, wait_for_ready: bool = False) -> None:
        """Name the server; it is reached at the first call.

        Args:
            address: `host:port`.
            timeout: Seconds that a call may take, unless it says otherwise.
            wait_for_ready: Whether a call to a server that is not there yet waits for it, until its time is up.
        """
        self.address = address
        self._timeout = timeout
        self._wait_for_ready = wait_for_ready
        # Straight to the server: gRPC would send even a call to this machine through the proxy that http_proxy names.
        self._channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
        self._recognize = RecognizerStub(self._channel).Recognize  # type: ignore[no-untyped-call]

    def recognize(self, picture: "Picture", *, timeout: float | None = None) -> Reading:
        """Which digit does the picture show?

        Args:
            picture: A path; the bytes of a PNG, JPEG, …; a Pillow image; or an array (28, 28) uint8, 0 background to
                255 ink, which is taken as it is, while the digit is searched and framed in all others.
            timeout: Seconds; by default those of the client.

        Raises:
            PictureError: The server cannot read the picture, or finds no digit in it.
            UnreachableError: No server at the address, or one without a model.
            DeadlineError: No answer in time.
            ServiceError: Any other failure of the service.
            OSError: The file cannot be read.
        """
        response: RecognizeResponse = self._call(self._recognize, _request(picture), timeout)
        return _reading(response)

    def health(self, *, timeout: float | None = None) -> str:
        """What the server says of its health.

        Args:
            timeout: Seconds; by default those of the client.

        Returns:
            `SERVING`, or `NOT_SERVING` before a model is loaded and while the server shuts down.

        Raises:
            ServiceError: No answer; see `recognize`.
        """
        check = HealthStub(self._channel).Check  # type: ignore[attr-defined]  # its type stubs leave the methods out
        response = self._call(check, HealthCheckRequest(), timeout)
        return HealthCheckResponse.ServingStatus.Name(response.status)

    def close(self) -> None:
        """Close the connection; calls under way fail."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: Callable[..., Any], request: Message, timeout: float | None) -> Any:
        seconds = self._timeout if timeout is None else timeout
        try:
            return method(request, timeout=seconds, wait_for_ready=self._wait_for_ready)
        except grpc.RpcError as error:
            raise self._translated(error, seconds) from error

    def _translated(self, error: grpc.RpcError, seconds: float) -> NumeralError:
        details = error.details() or "no reason given"
        kind = next((entry.value for entry in error.trailing_metadata() or () if entry.key == ERROR_METADATA), None)
        match error.code():
            case grpc.StatusCode.INVALID_ARGUMENT:
                return _PICTURE_ERRORS.get(str(kind), PictureError)(details)
            case grpc.StatusCode.UNAVAILABLE if kind:
                return UnreachableError(f"{self.address}: {details}")
            case grpc.StatusCode.UNAVAILABLE:
                port = self.address.rpartition(":")[2]
                command = "python -m service serve" + (f" --port {port}" if port.isdigit() else "")
                return UnreachableError(f"no server answers at {self.address} ({details}); start one with: {command}")
            case grpc.StatusCode.DEADLINE_EXCEEDED:
                return DeadlineError(f"{self.address} gave no answer within {seconds:g} seconds")
            case grpc.StatusCode.RESOURCE_EXHAUSTED:
                return PictureTooLargeError(f"{self.address} takes no message of this size: {details}")
            case code:
                return ServiceError(f"{self.address} failed with {code.name}: {details}")


_PICTURE_ERRORS: dict[str, type[PictureError]] = {
    kind.__name__: kind for kind in (PictureUnreadableError, PictureTooLargeError, NoDigitError)
}


def _request(picture: "Picture") -> RecognizeRequest:
    if isinstance(picture, bytes | bytearray | memoryview):
        return RecognizeRequest(encoded=bytes(picture))
    if isinstance(picture, str | PathLike):
        return RecognizeRequest(encoded=Path(picture).read_bytes())
    # Imported here: a client that sends files starts faster without the two.
    import numpy as np
    from PIL.Image import Image

    if isinstance(picture, Image):
        return RecognizeRequest(encoded=_png(picture))
    if not isinstance(picture, np.ndarray):
        raise TypeError(f"a picture is a path, bytes, a Pillow image or an array, found {type(picture).__name__}")
    if picture.shape != (28, 28) or picture.dtype != np.uint8:
        raise PictureUnreadableError(f"array {picture.shape} {picture.dtype}, expected (28, 28) uint8")
    return RecognizeRequest(pixels=picture.tobytes())


def _png(image: "Image") -> bytes:
    in_png = image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
    buffer = BytesIO()
    (image if in_png else image.convert("RGB")).save(buffer, "PNG")
    return buffer.getvalue()


def _reading(response: RecognizeResponse) -> Reading:
    return Reading(
        digit=response.digit,
        confidence=response.confidence,
        probabilities=tuple(response.probabilities),
        model_version=response.model_version,
        weights_sha256=response.weights_sha256,
    )
