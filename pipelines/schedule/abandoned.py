"""Runs that Prefect's pages show as running although their process has ended: it was killed, or the machine stopped."""

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed

from core.artifact.holder import Holder
from pipelines.schedule.journal import Journal
from pipelines.voice import say

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNFINISHED = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
_AT_ONCE = 100


async def close_abandoned(flow: str, deployment: UUID, data_dir: Path) -> int:
    """Mark the runs of a data folder as crashed whose process has ended.

    Only one scheduler uses a data folder, and it calls this before it starts a run. So a run of its deployment is dead
    unless the journal names a process for it that lives; a run by hand is dead if the journal names one that does not.

    Args:
        flow: The name of the flow.
        deployment: The id of the scheduler's deployment.
        data_dir: The data folder.

    Returns:
        How many were marked.
    """
    journal = Journal(data_dir)
    record = journal.read()
    active: Mapping[str, Holder] = record.active if record else {}
    closed = 0
    async with get_client() as client:
        for run in await _unfinished(client, flow):
            holder = active.get(str(run.id))
            ours = str(run.parameters.get("data_dir")) == str(data_dir)
            known = holder is not None or run.deployment_id == deployment
            if not (ours and known) or (holder and holder.lives_here()):
                continue
            message = f"Its process ended without a word: {holder or 'it had hardly begun'}."
            await client.set_flow_run_state(run.id, Crashed(message=message), force=True)
            say(f"schedule: run {run.name} was still shown as running; it is marked as crashed")
            closed += 1
    for name, holder in active.items():
        if not holder.lives_here():
            journal.ended(name)
    return closed


async def _unfinished(client: PrefectClient, flow: str) -> list[FlowRun]:
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNFINISHED))
    return await client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=[flow])),
        flow_run_filter=FlowRunFilter(state=state),
        limit=_AT_ONCE,
    )
