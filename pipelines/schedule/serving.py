"""Serves a schedule through Prefect: one run at a time, and a schedule that continues after a restart."""

import asyncio
import os
import signal
import time
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import PrefectException
from prefect.runner import Runner
from prefect.types.entrypoint import EntrypointType

from core.artifact.holder import Holder
from core.artifact.lease import RENEWALS
from core.artifact.repository import Repository
from core.errors import ArtifactError, NumeralError, ServerLostError
from pipelines.canary.attendant import Attendant
from pipelines.canary.looking import Looker
from pipelines.engine.observed import Kind, engine_of
from pipelines.order import Order
from pipelines.retrain import job
from pipelines.retrain.flow import retrain
from pipelines.schedule import DEPLOYMENT
from pipelines.schedule.abandoned import Abandoned
from pipelines.schedule.heartbeat import Heartbeat, Lessee
from pipelines.schedule.starter import Starter
from pipelines.schedule.times import longest_gap, schedules, upcoming
from pipelines.schedule.timetable import Timetable
from pipelines.schedule.triggers import Triggers
from pipelines.settings import Settings
from pipelines.voice import say

_LOST = "Prefect's server no longer answers"

_BEAT_SECONDS = 15.0
_FIRST_BEAT_SECONDS = 0.5
"""How often it looks whether Prefect's server has answered the runner for the first time."""

_POLLS_MISSED = 6
"""How many polls, and half a minute, Prefect's server may not answer."""

_SHOWN = 3


class _Runner(Runner):
    """Prefect's runner, but SIGTERM, with which containers are stopped, ends it and its running flow as Ctrl-C does."""

    def handle_sigterm(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 — Prefect's signature
        """Become an interrupt, which asyncio turns into an orderly end."""
        signal.raise_signal(signal.SIGINT)


class Scheduler:
    """One scheduler: the timetable, which Prefect keeps to, and the triggers, which it looks after itself."""

    def __init__(self, timetable: Timetable, triggers: Triggers, order: Order) -> None:
        """Nothing is started yet.

        Args:
            timetable: At which times to retrain.
            triggers: For which other reasons.
            order: What to retrain each time.
        """
        self._timetable = timetable
        self._triggers = triggers
        self._order = order
        self._since = datetime.now(UTC)
        self._settings = Settings()
        self._gap: timedelta | None = None
        # One slot here, and one scheduler for a data folder, so there are never two runs at once. A run that is due
        # meanwhile waits, and will find nothing changed. Prefect's own concurrency limit for a deployment is not used:
        # a run that was killed would hold its slot for minutes, and after a restart of the server for ever.
        self._runner = _Runner(name=DEPLOYMENT, limit=1, pause_on_shutdown=False)

    def serve(self, *, train_if_empty: bool) -> None:
        """Retrain until stopped.

        Args:
            train_if_empty: Whether to retrain at once if no version is published yet.

        Raises:
            ServerLostError: Prefect's server no longer answers.
        """
        order = self._order
        deployment = cast("UUID", self._runner.add_deployment(self._deployment()))
        abandoned = Abandoned(deployment, order.data_dir, order.store.lease(self._settings.lease_seconds))
        decided = asyncio.run(abandoned.close(starting=True))
        if train_if_empty and not order.store.versions():
            say("no version is published yet: training the first one now")
            try:
                with engine_of(Kind.PREFECT, "pipelines.retrain.flow", order.parameters) as running:
                    job.retrain(order, running)
            except NumeralError as error:
                say(f"the first training failed: {error}; the schedule tries again")
        # A process that a shell started in the background ignores SIGINT, and with it SIGTERM, which becomes a SIGINT.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._runner.handle_sigterm)
        try:
            asyncio.run(self._serve(deployment, None if decided else abandoned))
        except KeyboardInterrupt:
            say("schedule: stopped; it continues when it is started again")

    async def _serve(self, deployment: UUID, abandoned: Abandoned | None) -> None:
        now = datetime.now(UTC)
        self._gap = longest_gap(self._timetable, now)
        times = ", ".join(f"{time:%a %Y-%m-%d %H:%M %Z}" for time in await upcoming(self._timetable, _SHOWN, now))
        say(f"schedule: retrain {self._order.recipe} {self}; stop with Ctrl-C")
        if times:
            say(f"schedule: the next times are {times}")
        serving = asyncio.create_task(self._runner.start())
        looks = [self._beat(), self._look(deployment), *([self._attend()] if self._order.canary_services else [])]
        others = [asyncio.create_task(look) for look in looks]
        closing = asyncio.create_task(self._close(abandoned))  # it ends once there is nothing left to decide
        try:
            # When the runner gives up, it prints tracebacks; what it says otherwise goes to its log.
            with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
                ended, _ = await asyncio.wait([serving, *others], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (serving, closing, *others):
                task.cancel()
            await asyncio.gather(serving, closing, *others, return_exceptions=True)
        for task in ended - {serving}:
            task.result()  # it never ends but with an error
        raise ServerLostError(_LOST) from serving.exception()

    def __str__(self) -> str:
        """When and why it retrains, in words."""
        reasons = self._triggers.reasons
        return ", and ".join(str(part) for part in (self._timetable, reasons) if part)

    async def _beat(self) -> None:
        """Leave a sign of life, as long as Prefect's server answers the runner.

        Raises:
            ServerLostError: It has not answered for long. The runner itself would wait for ever.
        """
        failing, heard, since = False, None, time.monotonic()
        while True:
            await asyncio.sleep(_BEAT_SECONDS if heard else _FIRST_BEAT_SECONDS)
            if self._runner.last_polled != heard:
                heard, since = self._runner.last_polled, time.monotonic()
            if time.monotonic() - since > _POLLS_MISSED * self._runner.query_seconds + 30:
                raise ServerLostError(_LOST)
            try:
                await self._write_beat()
                failing = False
            except (NumeralError, OSError) as error:
                if not failing:
                    say(f"schedule: cannot leave a sign of life, which is tried again: {error}")
                failing = True

    async def _write_beat(self) -> None:
        polled, now = self._runner.last_polled, datetime.now(UTC)
        if polled is None:
            return
        beat = Heartbeat(
            at=polled,
            every=max(_BEAT_SECONDS, self._runner.query_seconds),
            scheduler=Holder.of_this_process(),
            since=self._since,
            when=str(self),
            next_run=next(iter(await upcoming(self._timetable, 1, now)), None),
            longest_gap=self._gap.total_seconds() if self._gap else None,
            lease=await asyncio.to_thread(self._lessee),
        )
        await asyncio.to_thread(beat.write, self._order.data_dir)

    def _lessee(self) -> Lessee | None:
        """Who retrains now; None also if that cannot be told, which the runs themselves report."""
        try:
            entry = Repository(self._order.repository).lease().holder()
        except ArtifactError:
            return None
        return Lessee(holder=str(entry.holder), since=entry.since) if entry else None

    async def _look(self, deployment: UUID) -> None:
        """Start a run whenever there is a reason to."""
        starter = Starter(deployment, self._triggers.reasons.pause)
        while True:
            await asyncio.sleep(self._settings.trigger_seconds)
            reason = await asyncio.to_thread(self._triggers.find, datetime.now(UTC))
            if not reason:
                continue
            try:
                await starter.start(reason, datetime.now(UTC))
            except (PrefectException, httpx.HTTPError) as error:
                say(f"schedule: a run could not be started, which is tried again: {error}")

    async def _attend(self) -> None:
        """Look after the canary; while a run works for the repository, only count."""
        attendant = Attendant(Looker(self._order, say))
        while True:
            await asyncio.sleep(self._settings.trigger_seconds)
            await asyncio.to_thread(attendant.look)

    async def _close(self, abandoned: Abandoned | None) -> None:
        """Mark the runs of processes elsewhere as crashed once the lease that they may hold is free."""
        while abandoned:
            await asyncio.sleep(self._settings.lease_seconds / RENEWALS)
            try:
                if await abandoned.close():
                    return
            except (NumeralError, PrefectException, httpx.HTTPError) as error:
                say(f"schedule: what became of earlier runs cannot be told, which is tried again: {error}")

    def _deployment(self) -> RunnerDeployment:
        return cast(
            "RunnerDeployment",
            retrain.to_deployment(
                name=DEPLOYMENT,
                schedules=schedules(self._timetable),
                parameters=self._order.parameters,
                entrypoint_type=EntrypointType.MODULE_PATH,
            ),
        )
