"""The client for threads, see `service.client`."""

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

    It reconnects automatically. A call that fails because a server cannot be reached, or has too much to do, is tried
    up to three more times within about a second, at another server if there is one; see
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
        """Name the server, which is reached at the first call.

        Args:
            address: `host:port`; or a gRPC target such as `dns:///name:port`, `ipv4:10.0.0.1:8500,10.0.0.2:8500` or
                `unix:/path`. If a name stands for several servers, calls go to each in turn.
            timeout: Seconds that a call may take, including retries, unless the call sets its own.
            wait_for_ready: Whether a call waits for a server that does not listen yet, until the timeout.
            tls: True to trust the authorities that this machine trusts; a path to trust only those in this PEM file.
            certificate: The paths of the client's certificate and private key (PEM), if the server asks for one.
            server_name: The name in the server's certificate, if it differs from that of the address.
            token: Sent with every call. Without TLS, it is only sent to this machine.
            token_without_tls: Whether to send the token to other machines in clear text.
            canary_key: A name of the user or session that the calls are for, in ASCII. If a canary answers a share of
                the calls, it answers all calls with the same key, or none of them.

        Raises:
            ConfigError: The arguments contradict each other, or one is impossible.
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
        self._channel = self._connection.channel()
        self._stub = RecognizerStub(self._channel)  # type: ignore[no-untyped-call]

    @property
    def address(self) -> str:
        """The address, as it was given."""
        return self._connection.address

    def recognize(self, picture: "Picture", *, model_version: str = "", timeout: float | None = None) -> Reading:
        """Which digit does the picture show?

        Args:
            picture: A path; the bytes of a PNG, JPEG, …; a Pillow image; or an array. An array (28, 28) is used as it
                is, best as uint8 from 0 background to 255 ink; in any other picture, the server finds the digit and
                frames it.
            model_version: The version that is to answer, e.g. "3", or its alias, e.g. "champion"; by default, the
                choice of the server's policy.
            timeout: Seconds; by default the timeout of the client.

        Raises:
            PictureError: The server cannot read the picture, or finds no digit in it.
            UnreachableError: No server answers at the address, or the server has no model yet.
            NotFoundError: The server has no such version.
            OverloadedError: The server has too much to do.
            DeadlineError: No answer in time.
            AccessError: The server does not know the token, or the token does not permit the call.
            ServiceError: The service failed in any other way.
            OSError: The file cannot be read.
        """
        request = asking.recognize_request(picture, model_version)
        return answers.reading(self._call(self._stub.Recognize, request, timeout))

    def recognize_batch(
        self, pictures: "Iterable[Picture]", *, model_version: str = "", timeout: float | None = None
    ) -> list[Reading | NumeralError]:
        """Which digits do the pictures show? One version answers for all of them, in one call.

        Args:
            pictures: 1 to 1,024 pictures; see `recognize`.
            model_version: As for `recognize`.
            timeout: Seconds; by default the timeout of the client.

        Returns:
            For each picture the answer, or the error that `recognize` would have raised about it.

        Raises:
            RequestError: There is no picture, or there are too many.
            ServiceError: There is no answer at all; see `recognize`.
            OSError: A file cannot be read.
        """
        request = asking.batch_request(pictures, model_version)
        response = self._call(self._stub.RecognizeBatch, request, timeout)
        return [self._connection.outcome(outcome) for outcome in response.outcomes]

    def recognize_stream(
        self, pictures: "Iterable[Picture]", *, model_version: str = "", timeout: float | None = None
    ) -> Iterator[Reading | NumeralError]:
        """Which digits do any number of pictures show? One call answers for all of them: the fastest way to ask.

        Another thread takes pictures from the iterable as fast as the server accepts them, without waiting for
        answers. Leaving the loop early ends the call.

        Args:
            pictures: See `recognize`.
            model_version: As for `recognize`.
            timeout: Seconds for the whole call; by default there is no limit.

        Yields:
            For each picture, in order, the answer, or the error that `recognize` would have raised about it.

        Raises:
            ServiceError: The call failed; see `recognize`. It is not tried again.
            Exception: The error of the iterable, once the pictures before it are answered.
        """
        failures: list[Exception] = []
        requests = (
            RecognizeStreamRequest(request=RecognizeRequest(**field, model_version=model_version))
            for field in asking.picture_fields(pictures, failures)
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
            digit: The digit to explain; by default the most probable one.
            model_version: As for `recognize`.
            timeout: Seconds; by default the timeout of the client.

        Raises:
            RequestError: `digit` is not 0 to 9.
            NumeralError: See `recognize`.
        """
        request = asking.explain_request(picture, digit, model_version)
        return answers.explanation(self._call(self._stub.Explain, request, timeout))

    def model(self, version: str = "", *, timeout: float | None = None) -> Model:
        """Describe a version of the model.

        Args:
            version: A version or an alias; by default, the choice of the server's policy.
            timeout: Seconds; by default the timeout of the client.

        Raises:
            ServiceError: There is no answer; see `recognize`.
        """
        return answers.model(self._call(self._stub.GetModel, GetModelRequest(model_version=version), timeout))

    def send_feedback(
        self, picture: "Picture", digit: int, *, about: Reading | None = None, timeout: float | None = None
    ) -> bool:
        """Tell the service which digit a picture really shows, so that the next training learns from it.

        Args:
            picture: The picture that was read wrong; see `recognize`.
            digit: The digit that it shows.
            about: The answer that was wrong, if you have it.
            timeout: Seconds; by default the timeout of the client.

        Returns:
            Whether it is new; False if the same was sent before.

        Raises:
            ServiceError: The feedback was not stored: the service collects none, is overloaded, or cannot be reached.
            NumeralError: See `recognize`.
        """
        request = asking.feedback_request(picture, digit, about)
        return bool(self._call(self._stub.SendFeedback, request, timeout).added)

    def health(self, *, timeout: float | None = None) -> str:
        """Ask for the health of the server.

        Args:
            timeout: Seconds; by default the timeout of the client.

        Returns:
            `SERVING`, or `NOT_SERVING` before a model is loaded and while the server shuts down.

        Raises:
            ServiceError: There is no answer; see `recognize`.
        """
        check = HealthStub(self._channel).Check  # type: ignore[attr-defined]  # its type stubs leave the methods out
        response = self._call(check, HealthCheckRequest(), timeout)
        return HealthCheckResponse.ServingStatus.Name(response.status)

    def close(self) -> None:
        """Close the connection; calls in flight fail."""
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
