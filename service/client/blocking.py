"""The client for threads; see `service.client`."""

from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import grpc
from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from core.errors import NumeralError
from protos.numeral.v1.recognizer_pb2 import GetModelRequest, RecognizeRequest, RecognizeStreamRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.client import answers, asking
from service.client.answers import Explanation, Model
from service.client.connection import DEFAULT_TIMEOUT, Connection
from service.wire import Reading

if TYPE_CHECKING:
    from service.client.asking import Picture

__all__ = ["Recognizer"]


class Recognizer:
    """A connection to one server, or to several behind one name. Any number of threads may use it at once.

    It reconnects by itself. A call that fails because a server is not there, or has too much to do, is tried three
    more times within about a second, at another server where there is one; see
    `service.client.connection.SERVICE_CONFIG`.
    """

    def __init__(
        self,
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
    ) -> None:
        """Name the server; it is reached at the first call.

        Args:
            address: `host:port`; or a gRPC target such as `dns:///name:port`, `ipv4:10.0.0.1:8500,10.0.0.2:8500` or
                `unix:/path`. Where a name stands for several servers, calls go to each in turn.
            timeout: Seconds that a call may take, its retries included, unless it says otherwise.
            wait_for_ready: Whether a call to a server that is not there yet waits for it, until its time is up.
            tls: True trusts the authorities that this machine trusts; a path, those in this PEM file alone.
            certificate: The paths of the client's own certificate and private key (PEM), where the server wants one.
            server_name: The name in the server's certificate, where it is not that of the address.
            token: Shown with every call. Without TLS it is sent to this very machine alone.
            token_without_tls: Send it in clear all the same.
            canary_key: Where the server has a canary answer a share of the calls, it answers all calls with the same
                key or none of them: a name of the user or session that they are for, in ASCII.

        Raises:
            ConfigError: The arguments do not go together.
            OSError: A certificate cannot be read.
        """
        self._connection = Connection.to(
            address,
            timeout=timeout,
            wait_for_ready=wait_for_ready,
            tls=tls,
            certificate=certificate,
            server_name=server_name,
            token=token,
            token_without_tls=token_without_tls,
            canary_key=canary_key,
        )
        target, options, credentials = self._connection.target, self._connection.options, self._connection.credentials
        self._channel = (
            grpc.secure_channel(target, credentials, options) if credentials else grpc.insecure_channel(target, options)
        )
        self._stub = RecognizerStub(self._channel)  # type: ignore[no-untyped-call]

    @property
    def address(self) -> str:
        """The address, as it was given."""
        return self._connection.address

    def recognize(self, picture: "Picture", *, model_version: str = "", timeout: float | None = None) -> Reading:
        """Which digit does the picture show?

        Args:
            picture: A path; the bytes of a PNG, JPEG, …; a Pillow image; or an array (28, 28) uint8, 0 background to
                255 ink, which is taken as it is, while the digit is searched and framed in all others.
            model_version: Who shall answer: a version, e.g. "3", or an alias, e.g. "champion"; by default, whatever
                the server's policy gives.
            timeout: Seconds; by default those of the client.

        Raises:
            PictureError: The server cannot read the picture, or finds no digit in it.
            UnreachableError: No server at the address, or one without a model.
            NotFoundError: The server has no such version.
            OverloadedError: The server has too much to do.
            DeadlineError: No answer in time.
            AccessError: The token is not good for this.
            ServiceError: Any other failure of the service.
            OSError: The file cannot be read.
        """
        request = asking.recognize_request(picture, model_version)
        return answers.reading(self._call(self._stub.Recognize, request, timeout))

    def recognize_batch(
        self, pictures: "Iterable[Picture]", *, model_version: str = "", timeout: float | None = None
    ) -> list[Reading | NumeralError]:
        """Which digits do the pictures show? One version answers for all of them, in one call.

        Args:
            pictures: At least one, and at most 1,024; see `recognize`.
            model_version: As for `recognize`.
            timeout: Seconds; by default those of the client.

        Returns:
            For each picture the answer, or the error that `recognize` would have raised about it.

        Raises:
            RequestError: No picture, or too many.
            ServiceError: No answer at all; see `recognize`.
            OSError: A file cannot be read.
        """
        request = asking.batch_request(pictures, model_version)
        response = self._call(self._stub.RecognizeBatch, request, timeout)
        return [self._connection.outcome(outcome) for outcome in response.outcomes]

    def recognize_stream(
        self, pictures: "Iterable[Picture]", *, model_version: str = "", timeout: float | None = None
    ) -> Iterator[Reading | NumeralError]:
        """Which digits do the pictures show? Any number of them, over one call: the fastest way to ask.

        Pictures are taken from the iterable, by another thread, as fast as the server takes them; it does not wait for
        answers. To leave the loop early ends the call.

        Args:
            pictures: See `recognize`.
            model_version: As for `recognize`.
            timeout: Seconds for all of it; by default any number.

        Yields:
            For each picture, in order, the answer, or the error that `recognize` would have raised about it.

        Raises:
            ServiceError: The call has ended before its end; see `recognize`. It is not tried again.
            Exception: What the iterable has raised, after the answers to the pictures before.
        """
        failures: list[Exception] = []
        requests = (
            RecognizeStreamRequest(request=RecognizeRequest(**form, model_version=model_version))
            for form in asking.attempt(pictures, failures)
        )
        call = self._stub.RecognizeStream(requests, **self._connection.call_options(None) | {"timeout": timeout})
        try:
            for response in call:
                yield self._connection.outcome(response.outcome)
        except grpc.RpcError as error:
            raise self._connection.translated(error, timeout) from error
        finally:
            call.cancel()
        if failures:
            raise failures[0]

    def explain(
        self, picture: "Picture", *, digit: int | None = None, model_version: str = "", timeout: float | None = None
    ) -> Explanation:
        """Which pixels speak for a digit, and which against it?

        Args:
            picture: See `recognize`.
            digit: The digit; by default the one that is recognized.
            model_version: As for `recognize`.
            timeout: Seconds; by default those of the client.

        Raises:
            RequestError: No digit.
            NumeralError: See `recognize`.
        """
        request = asking.explain_request(picture, digit, model_version)
        return answers.explanation(self._call(self._stub.Explain, request, timeout))

    def model(self, version: str = "", *, timeout: float | None = None) -> Model:
        """What is known about a version of the model.

        Args:
            version: A version or an alias; by default, the one that the server's policy gives.
            timeout: Seconds; by default those of the client.

        Raises:
            ServiceError: No answer; see `recognize`.
        """
        return answers.model(self._call(self._stub.GetModel, GetModelRequest(model_version=version), timeout))

    def send_feedback(
        self, picture: "Picture", digit: int, *, about: Reading | None = None, timeout: float | None = None
    ) -> bool:
        """Tell the service which digit a picture really shows, so that the next training learns from it.

        Args:
            picture: The one that was read wrong; see `recognize`.
            digit: What it shows.
            about: The answer that was wrong, if you have it.
            timeout: Seconds; by default those of the client.

        Returns:
            Whether it is new; False where the same was sent before.

        Raises:
            ServiceError: It was not taken: the service collects none, is overloaded, or cannot be reached.
            NumeralError: See `recognize`.
        """
        request = asking.feedback_request(picture, digit, about)
        return bool(self._call(self._stub.SendFeedback, request, timeout).added)

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
        try:
            return method(request, **self._connection.call_options(timeout))
        except grpc.RpcError as error:
            raise self._connection.translated(error, timeout) from error
