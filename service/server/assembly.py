"""The server: its parts put together, started in order, and stopped in the reverse order."""

import asyncio
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from grpc_channelz.v1 import channelz, channelz_pb2_grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from core.artifact.repository import Repository
from core.imaging import PictureLimits
from protos.inference import open_inference_pb2_grpc
from protos.numeral.v1 import recognizer_pb2_grpc
from service.api.access import Guard, Tokens
from service.api.health import Health
from service.api.inference.inference_servicer import InferenceServicer
from service.api.interceptor import Interceptor
from service.api.open_calls import OpenCalls
from service.api.recognizer.recognizer_servicer import RecognizerServicer
from service.api.registrar import Registrar
from service.observer import Observers
from service.recognition.admission import Admission
from service.recognition.arrivals import Arrivals
from service.recognition.feedback import Feedback
from service.recognition.recognize import Recognition
from service.roles import GATHERED, INFERENCE, METHODS, RECOGNIZER
from service.server import connections, tls
from service.server.lifetime import Farewell
from service.server.port import cannot_listen
from service.settings import RUN_DIR, Settings
from service.telemetry.instruments import Gauges, Instruments
from service.telemetry.statistics import Statistics
from service.versions.control import Control
from service.versions.decisions import DecisionFile
from service.versions.fallback import Fallback
from service.versions.shadow import Shadow
from service.versions.store import Store
from service.versions.watcher import Watcher

__all__ = ["Server"]

FIRST_LOOK_SECONDS = 5.0
"""How long `start` waits at most for the first look at the repository."""

PING_SECONDS = 10
"""Seconds that a client must leave between two keepalive pings on a connection."""

ENVELOPE_BYTES = 64 * 1024
"""The most bytes of a request beside its pictures."""

MOST_DECODERS = 4
"""Decoding threads in each process, at most."""

CONNECTIONS = (
    ("grpc.max_concurrent_streams", 256),  # beyond that, the calls of one client wait at the client
    # A peer that vanished without closing its connection is noticed within a minute, and its resources are freed.
    ("grpc.keepalive_time_ms", 40_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Clients may ping as well, at most every ten seconds.
    ("grpc.http2.min_ping_interval_without_data_ms", PING_SECONDS * 1000),
    # A long-lived connection is closed now and then, so that its client connects again and may reach another process,
    # or another server behind the same name. The calls in flight are finished first, however long they take.
    ("grpc.max_connection_age_ms", 600_000),
    ("grpc.max_connection_idle_ms", 900_000),
)
"""gRPC's options for connections: slow and dead clients must not hold resources for long."""

CHANNELZ = "grpc.channelz.v1.Channelz"

_log = logging.getLogger(__name__)


class Server:
    """One gRPC server in the running event loop."""

    def __init__(self, settings: Settings, processes: int = 1) -> None:
        """Put the parts together; nothing listens yet.

        Args:
            settings: As `service.settings.read` gives them.
            processes: How many processes listen on the port.
        """
        self._settings = settings
        repository = Repository(settings.repository)
        self.store = Store(repository.url, settings.wishes)
        run_dir = Path(os.environ[RUN_DIR]) if RUN_DIR in os.environ else None
        decisions = DecisionFile(run_dir)
        self._looked = asyncio.Event()
        self._port: int | None = None  # as long as it is listened on
        self._health = Health(("", RECOGNIZER, INFERENCE))
        # Decoding a picture of the largest size takes 200 MB, so not many may be decoded at once.
        threads = min(MOST_DECODERS, max(1, (os.cpu_count() or 1) // processes))
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="decode")
        self._instruments = Instruments(settings)
        self._statistics = Statistics(run_dir / "statistics" if run_dir else None)
        telemetry = Observers([*self._instruments.observers, self._statistics])
        self._shadow = Shadow(self.store, telemetry)
        fallback = Fallback() if settings.fallback_seconds else None
        observer = Observers(filter(None, (telemetry, self._shadow, fallback)))
        self._watcher = Watcher(
            repository,
            self.store,
            decisions,
            observer,
            fallback,
            settings.fallback_seconds,
            pretrained=settings.pretrained,
        )
        self.control = Control(self.store, self._watcher, decisions)
        limits = PictureLimits(max_bytes=settings.max_picture_bytes)
        self._admission = Admission(settings.max_waiting, settings.max_waiting_bytes)
        arrivals = Arrivals(GATHERED)
        recognition = Recognition(self.store, limits, self._pool, observer, self._admission, arrivals)
        self._feedback = Feedback(settings, recognition.decode, observer)
        guard = Guard(Tokens(settings.tokens_file)) if settings.tokens_file else None
        self._calls = OpenCalls()
        steps = [*self._instruments.steps, self._calls.enter, *([guard.enter] if guard else [])]
        self._interceptor = Interceptor(observer, steps, arrivals)
        self._grpc = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", settings.largest_request + ENVELOPE_BYTES),
                ("grpc.enable_channelz", int(settings.channelz)),
                # Without this, a second server on the same port would silently receive half of the calls.
                ("grpc.so_reuseport", int(processes > 1)),
                *CONNECTIONS,
            ],
        )
        self._register(recognition)
        self._register_foreign(guard)

    def _register(self, recognition: Recognition) -> None:
        """Register the servicers of the service's own protocols."""
        intercepted = self._interceptor.on(self._grpc, self._calls)
        most = self._settings.max_batch
        self._recognizer = RecognizerServicer(recognition, self._feedback, max_batch=most)
        recognizer_pb2_grpc.add_RecognizerServicer_to_server(self._recognizer, intercepted)  # type: ignore[no-untyped-call]
        self._inference = InferenceServicer(
            recognition,
            self._statistics,
            load=self.control.load,
            unload=self.control.unload,
            serving=self._health.is_serving,
            max_batch=most,
        )
        open_inference_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(self._inference, intercepted)  # type: ignore[no-untyped-call]

    def _register_foreign(self, guard: Guard | None) -> None:
        """Register gRPC's own services; all but health are behind the guard."""
        open_to_all: Any = Registrar(self._grpc, lambda _, handler: handler, self._calls)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, open_to_all)
        guarded: Any = Registrar(self._grpc, guard.wrap, self._calls) if guard else open_to_all
        services = list(METHODS)
        if self._settings.channelz:
            servicer = channelz.aio.ChannelzServicer()
            channelz_pb2_grpc.add_ChannelzServicer_to_server(servicer, guarded)
            services.append(CHANNELZ)
        reflected = reflection.aio.ReflectionServicer(services)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(reflected, guarded)  # type: ignore[no-untyped-call]

    async def start(self) -> int:
        """Listen, and look at the repository for the first time: if its champion is sound, it serves from now on.

        Returns:
            The port; if the settings say 0, the free port that was chosen.

        Raises:
            ConfigError: The address cannot or must not be listened on, or the certificate cannot be used.
        """
        tls.check(self._settings)
        credentials = tls.credentials(self._settings)
        try:
            port = (
                self._grpc.add_secure_port(self._settings.address, credentials)
                if credentials
                else self._grpc.add_insecure_port(self._settings.address)
            )
        except RuntimeError as error:
            raise cannot_listen(self._settings.host, self._settings.port) from error
        self._instruments.start(self._gauges())
        loop = asyncio.get_running_loop()
        self._watcher.start(self._settings.poll_interval, lambda: loop.call_soon_threadsafe(self._after_look))
        # Connections wait in the port's queue until the first version is loaded, instead of failing.
        await _within(FIRST_LOOK_SECONDS, self._looked)
        await self._grpc.start()
        self._port = port
        return port

    def _gauges(self) -> Gauges:
        return Gauges(
            loaded=lambda: [(one.version, one.weights_sha256) for one in self.store.loaded()],
            in_flight=lambda: self._interceptor.in_flight,
            queue=lambda: self._admission.pictures,
            serving=self._health.is_serving,
        )

    def _after_look(self) -> None:
        if self.store.ready():
            self._health.serving()
        else:
            self._health.waiting()
        self._looked.set()

    def reload(self) -> None:
        """Read certificate and tokens again, without waiting until the next connection or call looks at their files."""
        _log.info("asked to reload: reading certificate and tokens again")
        self._reload_secrets()

    def _reload_secrets(self) -> None:
        """Nothing to do: both are read again whenever their files change."""

    async def drain(self) -> Farewell:
        """Report NOT_SERVING, give load balancers time to notice, refuse new calls, finish those that are open, stop.

        Returns:
            What became of the calls; see `service.server.lifetime.Farewell`.
        """
        self._health.drain()
        await asyncio.sleep(self._settings.drain_wait_seconds)
        self._recognizer.drain()
        self._inference.drain()
        await self._calls.finish(self._settings.drain_seconds)
        farewell = Farewell(cut_off=self._calls.count, refused=self._calls.refused)
        await self.stop()
        return farewell

    async def stop(self) -> None:
        """Stop at once; calls that are open fail with UNAVAILABLE."""
        if self._port is not None:
            port, self._port = self._port, None
            await connections.end(port)
        await self._grpc.stop(None)
        await self._instruments.stop()
        self._feedback.close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._watcher.stop)
        await asyncio.to_thread(self._shadow.stop)


async def _within(seconds: float, event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        _log.info("still looking at the repository after %g seconds; listening meanwhile", seconds)
