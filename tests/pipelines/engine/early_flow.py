"""A flow that fails before it has followed its job."""

from typing import Any

from prefect import Flow, flow


def as_flow(body: object) -> Flow[..., Any]:
    """A flow that does not call its body."""

    @flow(name="early")
    def fail() -> None:
        raise ValueError("too\nearly")

    return fail
