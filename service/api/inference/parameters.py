"""Open Inference Protocol: the parameters of a request. Those that mean something are honored or refused.

`timeout` is honored. What needs a server with sequences of requests or with levels of priority is refused, unless it
says what holds here anyway. Names that the protocol does not reserve are the client's own, and are ignored.
"""

from collections.abc import Mapping

from protos.inference.open_inference_pb2 import InferParameter
from service.errors import InferRequestError
from service.texts import quoted

__all__ = ["timeout_of"]

TIMEOUT = "timeout"
WHOLE = ("int64_param", "uint64_param")

KINDS = {
    "sequence_id": (*WHOLE, "string_param"),
    "sequence_start": ("bool_param",),
    "sequence_end": ("bool_param",),
    "priority": WHOLE,
    TIMEOUT: WHOLE,
    # Asks for an end mark after the responses to each request. There is one response to each, which carries the mark.
    "triton_enable_empty_final_response": ("bool_param",),
}
"""The parameters that the protocol reserves, and the types that they may have."""

_STATELESS = "this model answers each request alone, and keeps nothing from one to the next; leave it out"
REFUSED = {
    "sequence_id": _STATELESS,
    "sequence_start": _STATELESS,
    "sequence_end": _STATELESS,
    "priority": "this server has no levels of priority; leave it out, and limit the wait with `timeout` or a deadline",
}
"""The parameters that cannot be honored, and why. Their empty values (0, false, "") ask for nothing."""


def timeout_of(parameters: Mapping[str, InferParameter]) -> float | None:
    """Check the parameters of a request.

    Returns:
        The seconds within which the request is to be answered; None if it does not say.

    Raises:
        InferRequestError: One of them is malformed, or asks for what this server does not do.
    """
    for name, parameter in parameters.items():
        kind = parameter.WhichOneof("parameter_choice")
        if name.startswith("triton_") and name not in KINDS:
            raise InferRequestError(f"parameter {quoted(name)}: names that begin with triton_ are reserved")
        if kind is None:
            raise InferRequestError(f"parameter {quoted(name)} has no value")
        if name in KINDS and kind not in KINDS[name]:
            raise InferRequestError(f"parameter {name!r} is a {kind}, expected {' or '.join(KINDS[name])}")
        if name in REFUSED and (value := getattr(parameter, kind)):
            raise InferRequestError(f"parameter {name!r} = {quoted(str(value))}: {REFUSED[name]}")
    if TIMEOUT not in parameters:
        return None
    timeout = parameters[TIMEOUT]
    microseconds: int = timeout.int64_param or timeout.uint64_param
    if microseconds < 0:
        raise InferRequestError(f"parameter {TIMEOUT!r} = {microseconds}, expected microseconds, or 0 for no limit")
    return microseconds / 1e6 or None
