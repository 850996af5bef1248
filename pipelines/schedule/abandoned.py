"""Runs that Prefect's pages show as running although their process has ended: it was killed, or the machine stopped."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
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
from pipelines.schedule.silence import Silence
from pipelines.voice import say

_UNFINISHED = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
_AT_ONCE = 100


class Abandoned:
    """The runs of a scheduler's deployment whose process may have ended without a word.

    The journal of the data folder names the process of each run that has begun. It is asked for on this machine. One
    elsewhere may have been in a container before this one, or may live and share the data folder. It is dead once it
    has given no sign of life in the journal for as long as a lease lasts, and nobody holds the lease of the repository.
    The lease alone does not tell: a process that has just begun, or waits for its turn, does not hold it yet.

    A run that the journal does not name has hardly begun, or its data folder is another machine's, of the same path.
    Its process may just be starting, although its scheduler was killed. So it is watched for the same time: it is dead
    if it is pending still; if it is running, people are told.

    A process that was suspended for longer goes on all the same: its next sign enters it into the journal again, and
    Prefect shows its run as running, or as completed, once it says so.
    """

    def __init__(
        self, deployment: UUID, data_dir: Path, lease: Lease, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is looked at yet.

        Args:
            deployment: The scheduler's. Schedulers with one Prefect server share it.
            data_dir: The data folder.
            lease: The repository's. It has to be looked at again and again until it expires.
            clock: Seconds that never go back.
        """
        self._deployment = deployment
        self._data_dir = data_dir
        self._journal = Journal(data_dir)
        self._lease = lease
        self._silence = Silence(lease.seconds, clock)
        self._unnamed: set[str] = set()
        """The runs from before the scheduler started any that the journal does not name."""

    async def close(self, *, starting: bool = False) -> bool:
        """Mark the runs as crashed whose process is dead.

        Args:
            starting: Whether the scheduler has not started any run yet, so that those are shown are not its own.

        Returns:
            Whether all is decided; otherwise look again, before a lease would expire.

        Raises:
            PrefectException, httpx.HTTPError: Prefect's server does not answer.
            ConfigError, StorageError: The journal cannot be read or written.
        """
        async with get_client() as client:
            shown = {str(run.id): run for run in await self._unfinished(client)}
            record = self._journal.read()  # after Prefect, as a run that begins is in the journal last
            active: Mapping[str, Holder] = record.active if record else {}
            signs: Mapping[str, int] = record.signs if record else {}
            absent = {name: holder for name, holder in active.items() if not holder.lives_here()}
            free = all(holder.is_dead() for holder in absent.values()) or await asyncio.to_thread(self._is_free)
            silent = {name for name in absent if self._silence.lasts(name, signs.get(name, 0))}
            dead = {name: who for name, who in absent.items() if who.is_dead() or (free and name in silent)}
            for name, who in dead.items():
                if name in shown:
                    await _mark(client, shown[name], str(who))
            self._unnamed = (shown.keys() if starting else self._unnamed & shown.keys()) - active.keys()
            late = {name for name in self._unnamed if self._silence.lasts(name, 0)}
            for name in late:
                await self._close_unnamed(client, shown[name])
        for name in dead:
            self._journal.ended(name)
        self._unnamed -= late
        return len(dead) == len(absent) and not self._unnamed

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
