"""Starts the runs for which there is a reason other than the time."""

from datetime import datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.states import Scheduled

from pipelines.schedule.triggers import Reason, is_paused
from pipelines.voice import say

__all__ = ["TRIGGERED", "Starter"]

TRIGGERED = "triggered"
"""The tag of runs that were started for a reason other than the time."""


class Starter:
    """Starts one run for a reason, and another if that one is over although the reason still holds.

    A run that has begun to retrain is in the journal, and with that the reason is another one. But a run may end before
    that: it is cancelled while it waits, or its process is killed or fails at its very beginning.
    """

    def __init__(self, deployment: UUID, pause: timedelta) -> None:
        """Nothing is started yet.

        Args:
            deployment: Whose runs to start.
            pause: The shortest time from one run for the same reason to the next.
        """
        self._deployment = deployment
        self._pause = pause
        self._reason = self._key = ""
        self._told: UUID | None = None

    async def start(self, reason: Reason, now: datetime) -> None:
        """Make sure that there is a run for a reason, unless the last one began too recently. Says so once for each.

        Raises:
            PrefectException, httpx.HTTPError: Prefect's server could not do it; ask again.
        """
        if reason.key != self._reason:
            self._reason = self._key = reason.key
        async with get_client() as client:
            while True:
                run = await client.create_flow_run_from_deployment(
                    self._deployment,
                    state=Scheduled(message=reason.sentence),
                    tags=[TRIGGERED],
                    idempotency_key=self._key,  # if there is a run of this key, it is returned
                )
                if run.state is None or not run.state.is_final():
                    break
                if is_paused(run.created, now, self._pause):
                    return
                self._key = f"{reason.key}, and after run {run.id}"
        if run.id != self._told:
            say(f"schedule: retraining: {reason.sentence}")
        self._told = run.id
