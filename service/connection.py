"""What the two clients share: how a server is reached, what it is sent, and how its answers and errors read."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from core.errors import (
    ConfigError,
    NoDigitError,
    NumeralError,
    PictureError,
    PictureTooLargeError,
    PictureUnreadableError,
)
from protos.numeral.v1 import recognizer_pb2 as messages
from protos.numeral.v1.recognizer_pb2 import (
    ExplainRequest,
    ExplainResponse,
    GetModelResponse,
    Outcome,
    RecognizeBatchRequest,
    RecognizeRequest,
    RecognizeResponse,
    SendFeedbackRequest,
)
from service.reading import CANARY_KEY, ERROR_METADATA, Reading, RequestError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Picture = str | PathLike[str] | bytes | Image | NDArray[np.uint8]

__all__ = [
    "AccessError",
    "Connection",
    "DeadlineError",
    "Explanation",
    "Model",
    "NotFoundError",
    "OverloadedError",
    "ServiceError",
    "UnreachableError",
]

DEFAULT_TIMEOUT = 10.0
"""Seconds."""

LONGEST_ANSWER = 16 * 1024 * 1024
"""Bytes of a response: that to the largest batch has a quarter of a megabyte."""

REPEATED_BYTES = 4 * 1024 * 1024
"""Requests up to this size are kept until they are answered, so that they can be sent again."""

SERVICE_CONFIG = {
    # Where a name stands for several servers, each call goes to the next of those that answer.
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            # What may be sent twice. Feedback too: the server knows what it has already.
            "name": [
                {"service": "numeral.v1.Recognizer", "method": method}
                for method in ("Recognize", "RecognizeBatch", "Explain", "GetModel", "SendFeedback")
            ],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
            },
        }
    ],
    # Where more than about one call in ten fails, retries end: they would only add to the load.
    "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
}
"""What gRPC itself does to reach an answer: https://github.com/grpc/proposal/blob/master/A6-client-retries.md"""

OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    ("grpc.per_rpc_retry_buffer_size", REPEATED_BYTES),
    ("grpc.max_receive_message_length", LONGEST_ANSWER),
    # Straight to the server: gRPC would send even a call to this machine through the proxy that http_proxy names.
    ("grpc.enable_http_proxy", 0),
    # During a call, a connection on which nothing moves is asked whether it still lives: a server whose machine has
    # died says no goodbye, and its address may go on being tried for minutes.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
)

_SCHEME = re.compile(r"(dns|ipv4|ipv6|unix|unix-abstract|vsock):")
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?")


class ServiceError(NumeralError):
    """The service gave no answer."""


class UnreachableError(ServiceError):
    """No server answers at the address, or the one that does has no model yet."""


class DeadlineError(ServiceError):
    """The answer took longer than it was given."""


class NotFoundError(ServiceError):
    """The service has no such version, or no such item."""


class OverloadedError(ServiceError):
    """The service has more to do than it can, or no room for more; it was asked several times."""


class AccessError(ServiceError):
    """The service does not know the token, or does not let it do this."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Which pixels speak for a digit.

    Attributes:
        reading: The answer to the picture.
        digit: The digit that `saliency` is about.
        saliency: (28, 28) float32, the gradient of its logit with respect to each pixel, in logits for the whole way
            from background to ink: positive where more ink would speak for the digit.
        image: (28, 28) uint8, the picture as the network saw it. `saliency * (image / 255)` is how much each pixel has
            contributed.
    """

    reading: Reading
    digit: int
    saliency: "NDArray[np.float32]"
    image: "NDArray[np.uint8]"


@dataclass(frozen=True)
class Model:
    """What is known about a version of the model.

    Attributes:
        name: "mnist".
        version: E.g. "3", or "pretrained".
        aliases: The aliases that name it now, e.g. "champion".
        weights_sha256: Of its weights file, in hexadecimal.
        created: When it was published, UTC.
        recipe: What it was trained with.
        parameters: How many numbers it has learned.
        labels: What the classes are called, that of the first probability first.
        input_shape: Of one input of the network.
        test_images: How many images it was tested with.
        test_accuracy: The share of them that it read right.
        test_interval: The 95% interval of that share.
        calibration_error: By how much its confidence and its accuracy differ on average.
        temperature: What its logits are divided by before they become probabilities.
    """

    name: str
    version: str
    aliases: tuple[str, ...]
    weights_sha256: str
    created: datetime
    recipe: str
    parameters: int
    labels: tuple[str, ...]
    input_shape: tuple[int, ...]
    test_images: int
    test_accuracy: float
    test_interval: tuple[float, float]
    calibration_error: float
    temperature: float


@dataclass(frozen=True)
class Connection:
    """How a server is reached.

    Attributes:
        address: As the user named it.
        target: As gRPC wants it.
        timeout: Seconds that a call may take by default.
        wait_for_ready: Whether calls wait for a server that is not there yet.
        credentials: TLS; None for none.
        options: Of the channel.
        metadata: What is sent with every call.
    """

    address: str
    target: str
    timeout: float
    wait_for_ready: bool
    credentials: grpc.ChannelCredentials | None
    options: tuple[tuple[str, Any], ...]
    metadata: tuple[tuple[str, str], ...] = field(repr=False)

    @classmethod
    def to(
        cls,
        address: str,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        wait_for_ready: bool = False,
        tls: "bool | str | PathLike[str]" = False,
        certificate: "tuple[str | PathLike[str], str | PathLike[str]] | None" = None,
        server_name: str | None = None,
        token: str | None = None,
        token_without_tls: bool = False,
        canary_key: str | None = None,
    ) -> "Connection":
        """Check what was asked for; see `service.client.Recognizer` for what each argument means.

        Raises:
            ConfigError: The arguments do not go together.
            OSError: A certificate cannot be read.
        """
        target = address if _SCHEME.match(address) else f"dns:///{address}"
        secure = tls is not False
        if not secure and (certificate or server_name):
            raise ConfigError("a client certificate and a server name are for TLS; say tls=True, or name its authority")
        options = (*OPTIONS, *((("grpc.ssl_target_name_override", server_name),) if server_name else ()))
        metadata: tuple[tuple[str, str], ...] = ()
        if token is not None:
            if not re.fullmatch(r"[!-~]+", token):
                raise ConfigError(
                    "the token is empty, or has characters that no token has; is it a file's name, or cut?"
                )
            if not (secure or token_without_tls or _on_this_machine(target)):
                raise ConfigError(
                    f"a token would go to {address} in clear, for everybody on the way to read; use tls, or say "
                    "token_without_tls=True"
                )
            metadata = (("authorization", f"Bearer {token}"),)
        if canary_key is not None:
            if not re.fullmatch(r"[ -~]+", canary_key):
                raise ConfigError(f"canary_key = {canary_key!r}, expected ASCII text, as metadata can hold no other")
            metadata += ((CANARY_KEY, canary_key),)
        credentials = _credentials(tls, certificate) if secure else None
        return cls(address, target, timeout, wait_for_ready, credentials, options, metadata)

    def call_options(self, timeout: float | None) -> dict[str, Any]:
        """What every call is made with."""
        seconds = self.timeout if timeout is None else timeout
        return {"timeout": seconds, "wait_for_ready": self.wait_for_ready, "metadata": self.metadata}

    def translated(self, error: grpc.RpcError, timeout: float | None) -> NumeralError:
        """The error that a failed call is for the user."""
        details = error.details() or "no reason given"
        trailing: Any = error.trailing_metadata() or ()  # pairs, though the type stubs do not know it
        kind = next((value for key, value in trailing if key == ERROR_METADATA), "")
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineError(f"{self.address} gave no answer within {timeout or self.timeout:g} seconds")
        return self.error(error.code(), details, str(kind))

    def error(self, code: grpc.StatusCode, details: str, kind: str) -> NumeralError:
        """The error that a status is for the user.

        Args:
            code: The status code.
            details: The sentence.
            kind: The class that the server gave the error; "" where gRPC itself has failed.
        """
        match code:
            case grpc.StatusCode.INVALID_ARGUMENT:
                return _ARGUMENT_ERRORS.get(kind, PictureError)(details)
            case grpc.StatusCode.NOT_FOUND:
                return NotFoundError(f"{self.address}: {details}")
            case grpc.StatusCode.UNAVAILABLE if kind:
                return UnreachableError(f"{self.address}: {details}")
            case grpc.StatusCode.UNAVAILABLE:
                port = self.address.rpartition(":")[2]
                command = "python -m service serve" + (f" --port {port}" if port.isdigit() else "")
                return UnreachableError(f"no server answers at {self.address} ({details}); start one with: {command}")
            case grpc.StatusCode.RESOURCE_EXHAUSTED if kind:
                return OverloadedError(f"{self.address}: {details}")
            case grpc.StatusCode.RESOURCE_EXHAUSTED:
                return PictureTooLargeError(f"{self.address} takes no message of this size: {details}")
            case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
                return AccessError(f"{self.address}: {details}")
            case _:
                return ServiceError(f"{self.address} failed with {code.name}: {details}")

    def outcome(self, outcome: Outcome) -> Reading | NumeralError:
        """What became of one picture of several."""
        if outcome.HasField("answer"):
            return reading(outcome.answer)
        problem = outcome.problem
        return self.error(_CODES.get(problem.code, grpc.StatusCode.UNKNOWN), problem.message, problem.kind)


_ARGUMENT_ERRORS: dict[str, type[NumeralError]] = {
    kind.__name__: kind for kind in (PictureUnreadableError, PictureTooLargeError, NoDigitError, RequestError)
}
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def recognize_request(picture: "Picture", model_version: str = "") -> RecognizeRequest:
    """Ask about one picture."""
    return RecognizeRequest(**form(picture), model_version=model_version)


def batch_request(pictures: "Iterable[Picture]", model_version: str) -> RecognizeBatchRequest:
    """Ask about several."""
    return RecognizeBatchRequest(
        pictures=[messages.Picture(**form(picture)) for picture in pictures], model_version=model_version
    )


def explain_request(picture: "Picture", digit: int | None, model_version: str) -> ExplainRequest:
    """Ask what speaks for a digit."""
    return ExplainRequest(**form(picture), digit=digit, model_version=model_version)


def feedback_request(picture: "Picture", digit: int, about: Reading | None) -> SendFeedbackRequest:
    """Say which digit a picture shows."""
    return SendFeedbackRequest(**form(picture), digit=digit, reply_id=about.reply_id if about else "")


def form(picture: "Picture") -> dict[str, bytes]:
    """A picture in the form in which it is sent, as the field of a message.

    Raises:
        PictureUnreadableError: An array of another shape or kind.
        TypeError: No picture.
        OSError: The file cannot be read.
    """
    if isinstance(picture, bytes | bytearray | memoryview):
        return {"encoded": bytes(picture)}
    if isinstance(picture, str | PathLike):
        return {"encoded": Path(picture).read_bytes()}
    # Imported here: a client that sends files starts faster without the two.
    import numpy as np
    from PIL.Image import Image

    if isinstance(picture, Image):
        return {"encoded": _png(picture)}
    if not isinstance(picture, np.ndarray):
        raise TypeError(f"a picture is a path, bytes, a Pillow image or an array, found {type(picture).__name__}")
    if picture.shape != (28, 28) or picture.dtype != np.uint8:
        raise PictureUnreadableError(f"array {picture.shape} {picture.dtype}, expected (28, 28) uint8")
    return {"pixels": picture.tobytes()}


def reading(response: RecognizeResponse) -> Reading:
    """An answer, for the user."""
    return Reading(
        digit=response.digit,
        confidence=response.confidence,
        probabilities=tuple(response.probabilities),
        model_version=response.model_version,
        weights_sha256=response.weights_sha256,
        reply_id=response.reply_id,
    )


def explanation(response: ExplainResponse) -> Explanation:
    """An explanation, for the user."""
    import numpy as np

    return Explanation(
        reading=reading(response.answer),
        digit=response.digit,
        saliency=np.array(response.saliency, np.float32).reshape(28, 28),
        image=np.frombuffer(response.pixels, np.uint8).reshape(28, 28),
    )


def model(response: GetModelResponse) -> Model:
    """What is known about a version, for the user."""
    from datetime import UTC

    return Model(
        name=response.name,
        version=response.model_version,
        aliases=tuple(response.aliases),
        weights_sha256=response.weights_sha256,
        created=response.created.ToDatetime(UTC),
        recipe=response.recipe,
        parameters=response.parameters,
        labels=tuple(response.labels),
        input_shape=tuple(response.input_shape),
        test_images=response.test.images,
        test_accuracy=response.test.accuracy,
        test_interval=(response.test.accuracy_low, response.test.accuracy_high),
        calibration_error=response.test.calibration_error,
        temperature=response.temperature,
    )


def _png(image: "Image") -> bytes:
    in_png = image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
    buffer = BytesIO()
    (image if in_png else image.convert("RGB")).save(buffer, "PNG")
    return buffer.getvalue()


def _credentials(
    tls: "bool | str | PathLike[str]", certificate: "tuple[str | PathLike[str], str | PathLike[str]] | None"
) -> grpc.ChannelCredentials:
    authority = None if tls is True else Path(str(tls)).read_bytes()
    chain, key = (Path(file).read_bytes() for file in certificate) if certificate else (None, None)
    return grpc.ssl_channel_credentials(authority, key, chain)


def _on_this_machine(target: str) -> bool:
    """Whether what is sent to a target stays on this machine."""
    scheme, _, rest = target.partition(":")
    if scheme in ("unix", "unix-abstract"):
        return True
    return all(_LOOPBACK.fullmatch(place) for place in rest.removeprefix("///").split(","))


def attempt(pictures: "Iterable[Picture]", failures: list[Exception]) -> Iterator[dict[str, bytes]]:
    """The pictures as they are sent, until there is no more, or one cannot be had: then the error is put in `failures`.

    For gRPC, which takes an error of an iterator for its own.
    """
    try:
        for picture in pictures:
            yield form(picture)
    except Exception as error:  # noqa: BLE001 — it is raised where the user sees it
        failures.append(error)
