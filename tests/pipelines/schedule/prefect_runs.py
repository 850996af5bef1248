"""Runs of a deployment of one's own on the Prefect server that all tests share."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID, uuid4

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun, State
from prefect.settings import PREFECT_API_URL, temporary_settings

T = TypeVar("T")


class Runs:
    """The runs of one deployment."""

    def __init__(self, flow: UUID, deployment: UUID) -> None:
        self.flow = flow
        self.deployment = deployment

    @classmethod
    @contextmanager
    def at(cls, url: str) -> Iterator["Runs"]:
        """A deployment that nobody else knows; this process uses the server while the block lasts."""
        with temporary_settings({PREFECT_API_URL: url}):
            yield do(cls._made())

    @classmethod
    async def _made(cls) -> "Runs":
        async with get_client() as client:
            flow = await client.create_flow_from_name(f"flow-{uuid4()}")
            return cls(flow, await client.create_deployment(flow, name=f"deployment-{uuid4()}"))

    def all(self) -> list[FlowRun]:
        """All of them, the oldest first."""

        async def read() -> list[FlowRun]:
            mine = DeploymentFilter(id=DeploymentFilterId(any_=[self.deployment]))
            async with get_client() as client:
                return await client.read_flow_runs(deployment_filter=mine)

        return sorted(do(read()), key=lambda run: run.created or 0)

    def add(self, state: State[Any], **parameters: Any) -> FlowRun:
        """Another one, in some state."""

        async def create() -> FlowRun:
            async with get_client() as client:
                run = await client.create_flow_run_from_deployment(self.deployment, parameters=parameters)
                await client.set_flow_run_state(run.id, state, force=True)
                return run

        return do(create())

    def set(self, run: FlowRun, state: State[Any]) -> None:
        """Say what has become of one."""

        async def change() -> None:
            async with get_client() as client:
                await client.set_flow_run_state(run.id, state, force=True)

        do(change())


def do(what: Coroutine[Any, Any, T]) -> T:
    """Wait for it."""
    return asyncio.run(what)
