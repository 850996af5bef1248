"""The server: the parts put together, started in order, and taken down in the reverse order."""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
from service.api.inference.inference_servicer import INFERENCE, InferenceServicer
from service.api.recognizer.recognizer_servicer import RECOGNIZER, RecognizerServicer
from service.api.status import Registrar, Translator
from service.observer import Observers
from service.recognition.admission import Admission
from service.recognition.arrivals import Arrivals
from service.recognition.feedback import Feedback
from service.recognition.recognize import Recognition
from service.server import tls
from service.server.port import cannot_listen
from service.settings import RUN_DIR, Settings, endpoint
from service.telemetry.seen import Gauges, Seen
from service.telemetry.statistics import Statistics
from service.versions.control import Control
from service.versions.decisions import DecisionFile
from service.versions.fallback import Fallback
from service.versions.shadow import Shadow
from service.versions.store import Store
from service.versions.watcher import Watcher

__all__ = ["Server", "Share", "serve"]

FIRST_LOOK_SECONDS = 5.0
"""How long the first look at the repository may hold up the word that the server listens."""

PING_SECONDS = 10
"""Seconds that a client must leave between two pings on a connection."""

ENVELOPE_BYTES = 64 * 1024
"""What a message may weigh beyond the picture in it."""

MOST_DECODERS = 4
"""Threads in each process."""

CONNECTIONS = (
    ("grpc.max_concurrent_streams", 256),  # more calls of one client wait at the client
    # Who has vanished without a word is noticed within a minute, and what was held for him is let go.
    ("grpc.keepalive_time_ms", 40_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Clients may ask the same of us, as often as every ten seconds.
    ("grpc.http2.min_ping_interval_without_data_ms", PING_SECONDS * 1000),
    # A client that stays for good is asked now and then to connect anew, and comes to another process, or to another
    # server behind the same name. Calls under way are let finish, however long they take.
    ("grpc.max_connection_age_ms", 600_000),
    ("grpc.max_connection_idle_ms", 900_000),
)
"""What gRPC is told about connections, so that slow and dead clients hold nothing for long."""

HEALTH = "grpc.health.v1.Health"
CHANNELZ = "grpc.channelz.v1.Channelz"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Share:
    """What a process has that listens on one port together with others.

    Attributes:
        processes: How many they are.
        lifeline: A file descriptor that can be read once nobody is there any more who started them.
    """

    processes: int
    lifeline: int


class Server:
    """One gRPC server in the running event loop."""

    def __init__(self, settings: Settings, *, processes: int = 1) -> None:
        """Put the parts together; nothing listens yet.

        Args:
            settings: As `service.settings.read` gives them.
            processes: How many of them listen on the port.
        """
        self._settings = settings
        repository = Repository(settings.repository)
        self.store = Store(repository.url, settings.wishes)
        run_dir = Path(os.environ[RUN_DIR]) if RUN_DIR in os.environ else None
        decisions = DecisionFile(run_dir)
        self._looked = asyncio.Event()
        self._health = Health(("", RECOGNIZER, INFERENCE))
        # A picture of the largest size takes 200 MB while it is decoded, so not many of them at once.
        threads = min(MOST_DECODERS, max(1, (os.cpu_count() or 1) // processes))
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="decode")
        self._seen = Seen(settings)
        self._statistics = Statistics(run_dir / "statistics" if run_dir else None)
        seen = Observers([*self._seen.observers, self._statistics])
        self._shadow = Shadow(self.store, seen)
        fallback = Fallback() if settings.fallback_seconds else None
        observer = Observers(filter(None, (seen, self._shadow, fallback)))
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
        arrivals = Arrivals((f"/{RECOGNIZER}/Recognize", f"/{INFERENCE}/ModelInfer"))
        recognition = Recognition(self.store, limits, self._pool, observer, self._admission, arrivals)
        self._feedback = Feedback(settings, recognition, observer)
        guard = Guard(Tokens(settings.tokens_file)) if settings.tokens_file else None
        self._translator = Translator(observer, [*self._seen.steps, *([guard.enter] if guard else [])], arrivals)
        self._grpc = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", settings.largest_request + ENVELOPE_BYTES),
                ("grpc.enable_channelz", int(settings.channelz)),
                # Without this, a second server on the same port would silently take half of the calls.
                ("grpc.so_reuseport", int(processes > 1)),
                *CONNECTIONS,
            ],
        )
        self._register(recognition)
        self._register_foreign(guard)

    def _register(self, recognition: Recognition) -> None:
        """Answer the methods of our own protocols."""
        ours = self._translator.on(self._grpc)
        most = self._settings.max_batch
        self._servicer = RecognizerServicer(recognition, self._feedback, max_batch=most)
        recognizer_pb2_grpc.add_RecognizerServicer_to_server(self._servicer, ours)  # type: ignore[no-untyped-call]
        self._inference = InferenceServicer(
            recognition,
            self.control,
            self._statistics,
            serving=self._health.is_serving,
            max_batch=most,
        )
        open_inference_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(self._inference, ours)  # type: ignore[no-untyped-call]

    def _register_foreign(self, guard: Guard | None) -> None:
        """Answer those of gRPC's own services; all but health behind the guard."""
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        guarded: Any = Registrar(self._grpc, guard.around) if guard else self._grpc
        services = [RECOGNIZER, INFERENCE, HEALTH, reflection.SERVICE_NAME]
        if self._settings.channelz:
            servicer = channelz.aio.ChannelzServicer()
            channelz_pb2_grpc.add_ChannelzServicer_to_server(servicer, guarded)
            services.append(CHANNELZ)
        reflected = reflection.aio.ReflectionServicer(services)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(reflected, guarded)  # type: ignore[no-untyped-call]

    async def start(self) -> int:
        """Listen, and look at the repository for the first time: where a sound champion is, it serves from now on.

        Returns:
            The port, the one that was found if the settings say 0.

        Raises:
            ConfigError: The address cannot be listened on, or must not be; or the certificate cannot be used.
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
        self._seen.start(self._gauges())
        await self._grpc.start()
        loop = asyncio.get_running_loop()
        self._watcher.start(self._settings.poll_interval, lambda: loop.call_soon_threadsafe(self._after_look))
        await _within(FIRST_LOOK_SECONDS, self._looked)
        return port

    def _gauges(self) -> Gauges:
        return Gauges(
            loaded=lambda: [(one.version, one.weights_sha256) for one in self.store.loaded()],
            in_flight=lambda: self._translator.under_way,
            queue=lambda: self._admission.pictures,
            serving=self._health.is_serving,
        )

    def _after_look(self) -> None:
        if self.store.ready():
            self._health.serving()
        else:
            self._health.waiting()
        self._looked.set()

    async def drain(self) -> bool:
        """Say NOT_SERVING, wait until that was noticed, accept nothing more, let the calls under way finish, then stop.

        Returns:
            Whether all of them could finish within `drain_seconds`.
        """
        self._health.drain()
        await asyncio.sleep(self._settings.drain_wait_seconds)
        self._servicer.drain()
        self._inference.drain()
        # Its own grace period is longer than ours, so that what is still under way can be counted at the end of ours.
        stopping = asyncio.create_task(self._grpc.stop(self._settings.drain_seconds + 60))
        await asyncio.wait((stopping,), timeout=self._settings.drain_seconds)
        cut_off = self._translator.under_way
        await self.stop()
        await stopping
        return cut_off == 0

    async def stop(self) -> None:
        """Stop at once; calls under way are cancelled."""
        await self._grpc.stop(None)
        await self._seen.stop()
        self._feedback.close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._watcher.stop)
        await asyncio.to_thread(self._shadow.stop)


async def serve(settings: Settings, announce: Callable[[str], None], *, share: Share | None = None) -> int:
    """Serve until SIGTERM or SIGINT; a second SIGINT does not wait for calls under way.

    Args:
        settings: As `service.settings.read` gives them.
        announce: Called once with `listening on HOST:PORT`.
        share: Where this is one of several processes: what it has of them.

    Returns:
        The exit status: 0 after a clean drain, 1 if calls were cut off, 130 after a second SIGINT.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    leave, hurry = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, leave.set)
    loop.add_signal_handler(signal.SIGINT, lambda: (hurry if leave.is_set() else leave).set())
    if share:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
        loop.add_reader(share.lifeline, _orphaned, loop, share.lifeline, leave)

    server = Server(settings, processes=share.processes if share else 1)
    port = await server.start()
    # All that was imported and loaded stays. The garbage collector need not go through it again and again, which takes
    # 40 ms each time, with every call waiting.
    gc.collect()
    gc.freeze()
    announce(f"listening on {endpoint(settings.host, port)}")
    await leave.wait()

    _log.info("asked to stop; finishing the calls under way, for at most %g seconds", settings.drain_seconds)
    draining = asyncio.create_task(server.drain())
    hurried = asyncio.create_task(hurry.wait())
    await asyncio.wait((draining, hurried), return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if not draining.done():
        _log.warning("asked again; stopping at once")
        await server.stop()
        await draining
        return 130
    if not draining.result():
        _log.warning("stopped; calls that took longer than %g seconds were cut off", settings.drain_seconds)
        return 1
    _log.info("stopped; every call was answered")
    return 0


def _orphaned(loop: asyncio.AbstractEventLoop, lifeline: int, leave: asyncio.Event) -> None:
    loop.remove_reader(lifeline)
    _log.error("the process that started this one has died")
    leave.set()


async def _within(seconds: float, event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        _log.info("still looking at the repository after %g seconds; listening meanwhile", seconds)
