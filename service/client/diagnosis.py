"""Which error a failed call becomes: what went wrong, and what to do about it.

The status of a call that never reached the service comes from gRPC, whose details are the only place that says why. The
tests hold the patterns below against real servers, so that a release of gRPC with other words is noticed.
"""

import re
from typing import NamedTuple

import grpc

from core.errors import NoDigitError, NumeralError, PictureError, PictureTooLargeError, PictureUnreadableError
from service.client.failures import (
    AccessError,
    NotFoundError,
    OverloadedError,
    RefusedError,
    RequestError,
    ServiceError,
    UnreachableError,
)

__all__ = ["failure"]

_ARGUMENT_ERRORS: dict[str, type[NumeralError]] = {
    kind.__name__: kind for kind in (PictureUnreadableError, PictureTooLargeError, NoDigitError, RequestError)
}


class _Cause(NamedTuple):
    """Why gRPC could not make a call.

    Attributes:
        pattern: Is found in gRPC's details.
        sentence: With {address}, {details} and {start}, the command that starts a server there.
        tls: Only for clients with TLS, or only for those without; None for both.
        kind: The class of the error.
    """

    pattern: str
    sentence: str
    tls: bool | None = None
    kind: type[NumeralError] = UnreachableError


_CAUSES = (
    _Cause("larger than max", "{address} accepts no message of this size: {details}", kind=PictureTooLargeError),
    _Cause(
        "RST_STREAM.*error code (7|11)|ENHANCE_YOUR_CALM|too_many_pings",
        "{address} refused the call before it began ({details}): it is too busy, or stopping; call again later",
        kind=OverloadedError,
    ),
    _Cause(
        "WRONG_VERSION_NUMBER",
        "what listens at {address} does not use TLS; leave out tls (--tls, --tls-ca), or start the server with a "
        "certificate",
    ),
    _Cause(
        "certificate has expired",
        "the certificate of {address}, or one of its authorities, has expired; its operator has to renew it (if it was "
        "renewed already, check this machine's clock)",
    ),
    _Cause(
        "certificate is not yet valid",
        "the certificate of {address} is not valid yet; check this machine's clock, and that of the server",
    ),
    _Cause(
        "Hostname Verification Check failed",
        "the certificate of {address} is for another name; use an address with the name in it, or pass that name as "
        "server_name (--server-name), as a list of addresses always needs",
    ),
    _Cause(
        "CERTIFICATE_VERIFY_FAILED",
        "the certificate of {address} is not from an authority that this client trusts ({details}); pass the file of "
        "its authority as tls (--tls-ca)",
    ),
    _Cause(
        "handshake failed|SSL_ERROR",
        "no TLS connection to {address} is possible: {details}; check its certificate and yours",
    ),
    _Cause(
        "Received http2 header with status",
        "what answers at {address} is a web server or a proxy, and not the service ({details}); check the address",
    ),
    _Cause(
        "Failed parsing HTTP/2|Trying to connect an http1",
        "what listens at {address} does not speak gRPC ({details}): is that the port of a web page, or of the metrics? "
        "Check the port",
    ),
    _Cause(
        "backends failing.*(Socket closed|reset by peer|Broken pipe)",
        "{address} closed the connection before any call: it probably expects TLS; pass tls=True or the file of its "
        "authority as tls (--tls, --tls-ca)",
        tls=False,
    ),
    _Cause(
        "backends failing.*(Socket closed|reset by peer|Broken pipe)",
        "{address} closed the connection after the TLS handshake: it probably expects a client certificate that its "
        "own authority has signed; pass both files as certificate (--client-cert, --client-key)",
        tls=True,
    ),
    _Cause(
        "Connection refused|No such file or directory",
        "no server answers at {address} ({details}); start one with: {start}",
    ),
    _Cause(
        "errors resolving|lookup|[Dd]omain name|DNS",
        "the host name in {address} cannot be resolved ({details}); check its spelling, and the DNS of this machine",
    ),
    _Cause(
        "timed out|[Tt]imeout|No route to host|[Nn]etwork is unreachable|Host is down",
        "no connection to {address} could be made ({details}): is the machine up, and does a firewall block the port?",
    ),
    _Cause(
        "target uri is not valid",
        "{address} is no address that gRPC understands; write HOST:PORT, or ipv4:IP:PORT,IP:PORT for several servers",
    ),
    _Cause(
        "Socket closed|reset by peer|Broken pipe|GOAWAY|Stream removed",
        "the connection to {address} was lost during the call ({details}): the server has stopped; call again",
    ),
)
"""In this order: the first one that matches counts."""


_SAID_BY_THE_SERVICE: dict[grpc.StatusCode, tuple[type[NumeralError], str]] = {
    grpc.StatusCode.NOT_FOUND: (NotFoundError, "{address}: {details}"),
    grpc.StatusCode.UNAVAILABLE: (UnreachableError, "{address}: {details}"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (OverloadedError, "{address}: {details}"),
    grpc.StatusCode.FAILED_PRECONDITION: (RefusedError, "{address}: {details}"),
    grpc.StatusCode.UNAUTHENTICATED: (AccessError, "{address}: {details}"),
    grpc.StatusCode.PERMISSION_DENIED: (AccessError, "{address}: {details}"),
}
"""The class and the sentence of a status that the service chose itself."""

_SAID_BY_OTHERS = _SAID_BY_THE_SERVICE | {
    grpc.StatusCode.UNAVAILABLE: (UnreachableError, "{address} cannot answer now: {details}; call again later"),
    grpc.StatusCode.CANCELLED: (
        UnreachableError,
        "{address} canceled the call ({details}), as a server does that is stopping; call again",
    ),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (
        OverloadedError,
        "{address} has too much to do ({details}); call again later, or less at once",
    ),
    grpc.StatusCode.UNIMPLEMENTED: (
        ServiceError,
        "{address} answers, but has no such method (UNIMPLEMENTED: {details}); is it another "
        "service, or an older version?",
    ),
}
"""The same for a status from gRPC, or from a program between client and service, whose details match no pattern."""

_ANYTHING_ELSE = (ServiceError, "{address} failed with {code}: {details}")


def failure(address: str, code: grpc.StatusCode, details: str, kind: str, *, tls: bool) -> NumeralError:
    """The error that a status becomes.

    Args:
        address: The address of the server, for the message.
        code: The status code.
        details: The message.
        kind: The class that the server gave the error; "" if the status comes from gRPC itself, or another program.
        tls: Whether the client uses TLS.
    """
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return _ARGUMENT_ERRORS.get(kind, PictureError)(details)
    if kind:
        found, sentence = _SAID_BY_THE_SERVICE.get(code, _ANYTHING_ELSE)
    elif cause := _cause_of(details, tls=tls):
        found, sentence = cause.kind, cause.sentence
    else:
        found, sentence = _SAID_BY_OTHERS.get(code, _ANYTHING_ELSE)
    error = found(sentence.format(address=address, code=code.name, details=details, start=_start_command(address)))
    if isinstance(error, ServiceError):
        error.kind = kind
    return error


def _cause_of(details: str, *, tls: bool) -> _Cause | None:
    return next((one for one in _CAUSES if one.tls in (None, tls) and re.search(one.pattern, details)), None)


def _start_command(address: str) -> str:
    port = address.rpartition(":")[2]
    return "python -m service serve" + (f" --port {port}" if port.isdigit() else "")
