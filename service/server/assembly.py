"""The server: its parts put together, started in order, and stopped in the reverse order."""

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

import grpc
from grpc_channelz.v1 import channelz, channelz_pb2_grpc

from core.artifact.repository import Repository
from core.imaging import PictureLimits
from protos.inference import open_inference_pb2_grpc
from protos.numeral.v1 import recognizer_pb2_grpc
from service.api.access import Guard
from service.api.budget import Budget
from service.api.discovery import add_health, add_reflection
from service.api.health import Health
from service.api.identity import identify
from service.api.inference.inference_servicer import InferenceServicer
from service.api.interceptor import Interceptor
from service.api.open_calls import OpenCalls
from service.api.open_streams import OpenStreams
from service.api.receiving import Receiving
from service.api.recognizer.recognizer_servicer import RecognizerServicer
from service.api.tokens import Tokens
from service.api.unread import Unread
from service.observer import Observer, Observers
from service.recognition.admission import Admission
from service.recognition.arrivals import Arrivals
from service.recognition.feedback import Feedback
from service.recognition.recognize import Recognition
from service.recognition.workers import Workers
from service.roles import GATHERED, INFERENCE, METHODS, RECOGNIZER
from service.server import connections, tls
from service.server.lifetime import Farewell
from service.server.options import options_of
from service.server.port import cannot_listen
from service.server.renewal import Renewal
from service.server.self_check import SelfCheck
from service.server.trimming import Trimming
from service.settings import RUN_DIR, Settings
from service.telemetry.instruments import Gauges, Instruments
from service.telemetry.statistics import Statistics
from service.versions.catalog import Catalog
from service.versions.control import Control
from service.versions.decisions import DecisionFile
from service.versions.documents import Documents
from service.versions.fallback import Fallback
from service.versions.shadow import Shadow
from service.versions.store import Store
from service.versions.watcher import Watcher

__all__ = ["Server"]

FIRST_LOOK_SECONDS = 5.0
"""How long `start` waits at most for the first look at the repository."""

MOST_DECODERS = 4
"""Decoding threads in each process, at most."""

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
        self._workers = Workers(threads, settings.max_wait_seconds)
        self._instruments = Instruments(settings)
        self._statistics = Statistics(run_dir / "statistics" if run_dir else None)
        self._telemetry = telemetry = Observers([*self._instruments.observers, self._statistics])
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
            storage_seconds=settings.storage_seconds,
        )
        self.control = Control(self.store, self._watcher, decisions)
        limits, most = PictureLimits(max_bytes=settings.max_picture_bytes), settings.max_waiting_bytes
        self._admission = Admission(settings.max_waiting, most, self._workers, observer.refused)
        arrivals = Arrivals(GATHERED)
        recognition = Recognition(self.store, limits, self._workers, observer, self._admission, arrivals)
        self._feedback = Feedback(settings, recognition.framed, observer)
        shown = (self.store, repository, settings.pretrained, settings.storage_seconds)
        self._documents = Documents.of(*shown)
        self._catalog = Catalog.of(*shown, lambda: self._watcher.trouble)
        self._tokens = Tokens(settings.tokens_file, telemetry) if settings.tokens_file else None
        self._renewal = Renewal(None, self._tokens, None)
        guards = [Guard(self._tokens).enter] if self._tokens else []
        receiving = Receiving(most, lambda: connections.arrived(self._port), refused=observer.refused)
        streams = OpenStreams(Budget(settings.max_stream_bytes), guards, receiving)
        unread = Unread(settings.max_stream_bytes)
        self._calls = OpenCalls()
        steps = [*self._instruments.steps, self._calls.enter, identify, *guards]
        self._interceptor = Interceptor(observer, steps, arrivals, streams, unread, receiving)
        # gRPC's own services are neither counted nor logged: probes call them all the time.
        self._foreign = Interceptor(Observer(), guards, streams=streams, unread=unread, receiving=receiving)
        self._grpc = grpc.aio.server(options=options_of(settings, processes))
        self._trimming = Trimming()
        self._register(recognition)
        self._register_foreign()

    def _register(self, recognition: Recognition) -> None:
        """Register the servicers of the service's own protocols."""
        intercepted = self._interceptor.on(self._grpc, self._calls)
        most, shown = self._settings.max_batch, (self._documents, self._catalog)
        self._recognizer = RecognizerServicer(recognition, self._feedback, *shown, pin=self.control.pin, max_batch=most)
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

    def _register_foreign(self) -> None:
        """Register gRPC's own services."""
        intercepted: Any = self._foreign.on(self._grpc, self._calls)
        add_health(self._health, intercepted)
        services = list(METHODS)
        if self._settings.channelz:
            servicer = channelz.aio.ChannelzServicer()
            channelz_pb2_grpc.add_ChannelzServicer_to_server(servicer, intercepted)
            services.append(CHANNELZ)
        add_reflection(services, intercepted)

    async def start(self) -> int:
        """Listen, and look at the repository for the first time: if its champion is sound, it serves from now on.

        Returns:
            The port; if the settings say 0, the free port that was chosen.

        Raises:
            ConfigError: The address cannot or must not be listened on, or the certificate cannot be used.
        """
        tls.check(self._settings)
        certificates, address = tls.certificates(self._settings, self._telemetry), self._settings.address
        try:
            port = (
                self._grpc.add_secure_port(address, certificates.credentials())
                if certificates
                else self._grpc.add_insecure_port(address)
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
        check = SelfCheck(self._settings.host, port, self._telemetry) if certificates else None
        self._renewal = Renewal(certificates, self._tokens, check)
        self._renewal.start()
        self._trimming.start()
        return port

    def _gauges(self) -> Gauges:
        return Gauges(
            loaded=lambda: [(one.version, one.weights_sha256) for one in self.store.loaded()],
            in_flight=lambda: self._interceptor.in_flight,
            queue=lambda: self._admission.pictures,
            queue_seconds=self._workers.seconds,
            pinned=self.store.pinned,
            serving=self._health.is_serving,
        )

    def _after_look(self) -> None:
        if self.store.ready():
            self._health.serving()
        else:
            self._health.waiting()
        self._looked.set()

    def reload(self) -> None:
        """Read certificate and tokens again now, rather than at the next regular look."""
        _log.info("asked to reload: reading certificate and tokens again")
        self._renewal.look_now()

    async def drain(self) -> Farewell:
        """Report NOT_SERVING, give load balancers time to notice, refuse new calls, finish those that are open, stop.

        Returns:
            What became of the calls; see `service.server.lifetime.Farewell`.
        """
        self._health.drain()
        await asyncio.to_thread(self._renewal.stop)
        await asyncio.sleep(self._settings.drain_wait_seconds)
        self._recognizer.drain()
        self._inference.drain()
        await self._calls.finish(self._settings.drain_seconds)
        farewell = Farewell(cut_off=self._calls.count, refused=self._calls.refused)
        await self.stop()
        return farewell

    async def stop(self) -> None:
        """Stop at once; calls that are open fail with UNAVAILABLE."""
        await asyncio.to_thread(self._renewal.stop)
        if self._port is not None:
            port, self._port = self._port, None
            await connections.end(port)
        await self._grpc.stop(None)
        self._trimming.stop()
        await self._instruments.stop()
        self._feedback.close()
        self._documents.close()
        self._catalog.close()
        self._workers.close()
        await asyncio.to_thread(self._watcher.stop)
        await asyncio.to_thread(self._shadow.stop)


async def _within(seconds: float, event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        _log.info("still looking at the repository after %g seconds; listening meanwhile", seconds)
