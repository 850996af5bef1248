"""Runs that Prefect's pages show as running although their process has ended: it was killed, or the machine stopped."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed

from core.artifact.holder import Holder
from core.artifact.lease import Lease
from core.errors import ArtifactError
from pipelines.schedule.journal import Journal
from pipelines.voice import say

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNFINISHED = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
_AT_ONCE = 100


class Abandoned:
    """The runs of a scheduler's deployment whose process may have ended without a word.

    The journal of the data folder names the process of each run that has begun. It is asked for on this machine. One
    elsewhere may have been in a container before this one, or may live and share the data folder: it is dead once
    nobody renews the lease of the repository. A run that the journal does not name had hardly begun, if it is pending;
    if it is running, its data folder is another machine's, of the same path.
    """

    def __init__(self, deployment: UUID, data_dir: Path, lease: Lease) -> None:
        """Nothing is looked at yet.

        Args:
            deployment: The scheduler's. Schedulers with one Prefect server share it.
            data_dir: The data folder.
            lease: The repository's. It has to be looked at again and again until it expires.
        """
        self._deployment = deployment
        self._data_dir = data_dir
        self._journal = Journal(data_dir)
        self._lease = lease

    async def close(self, *, starting: bool = False) -> bool:
        """Mark the runs as crashed whose process is dead.

        Args:
            starting: Whether the scheduler has not started any run yet, so that none may be about to begin.

        Returns:
            Whether all is decided; otherwise look again.

        Raises:
            PrefectException, httpx.HTTPError: Prefect's server does not answer.
            ConfigError, StorageError: The journal cannot be read or written.
        """
        record = self._journal.read()
        active: Mapping[str, Holder] = record.active if record else {}
        absent = {name: holder for name, holder in active.items() if not holder.lives_here()}
        free = all(holder.is_dead() for holder in absent.values()) or await asyncio.to_thread(self._is_free)
        dead = {name: holder for name, holder in absent.items() if free or holder.is_dead()}
        async with get_client() as client:
            for run in await self._unfinished(client):
                name = str(run.id)
                if name in dead:
                    await _mark(client, run, str(dead[name]))
                elif starting and name not in active:
                    await self._close_unnamed(client, run)
        for name in dead:
            self._journal.ended(name)
        return len(dead) == len(absent)

    def _is_free(self) -> bool:
        try:
            return self._lease.is_free()
        except ArtifactError:  # which the runs themselves report
            return False

    async def _close_unnamed(self, client: PrefectClient, run: FlowRun) -> None:
        if run.state_type == StateType.PENDING:
            await _mark(client, run, "it had hardly begun")
        else:
            say(
                f"schedule: run {run.name} is shown as running, and the journal in {self._data_dir} does not name its "
                "process; if it does not run on another machine, delete it in Prefect's pages"
            )

    async def _unfinished(self, client: PrefectClient) -> list[FlowRun]:
        """Those of this data folder."""
        found = await client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[self._deployment])),
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNFINISHED))),
            limit=_AT_ONCE,
        )
        return [run for run in found if str(run.parameters.get("data_dir")) == str(self._data_dir)]


async def _mark(client: PrefectClient, run: FlowRun, who: str) -> None:
    await client.set_flow_run_state(run.id, Crashed(message=f"Its process ended without a word: {who}."), force=True)
    say(f"schedule: run {run.name} was still shown as running; it is marked as crashed")
