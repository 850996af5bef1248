"""Notices what is published and promoted, and lets the store follow."""

import logging
import threading
from collections.abc import Callable

from core.artifact.alias import Move
from core.artifact.repository import CHAMPION, Repository, Snapshot
from core.errors import ArtifactError, RepositoryError
from service import policy
from service.observer import Observer
from service.reading import in_words
from service.store import Loaded, Store, label

__all__ = ["PUBLISH_COMMAND", "Watcher"]

PUBLISH_COMMAND = "python -m pipelines retrain"

_NOTHING = Snapshot(versions=(), aliases={}, digest="")
"""What a folder shows that is not there."""

_log = logging.getLogger(__name__)


class Watcher:
    """Looks at the repository again and again, from a thread of its own.

    A look that finds nothing new costs one listing. Whatever goes wrong, the active model goes on serving, the finding
    is logged once, and the next look comes after the same pause as ever.
    """

    def __init__(self, repository: Repository, store: Store, observer: Observer | None = None) -> None:
        """Look at nothing yet.

        Args:
            repository: Where versions are published.
            store: What follows the champion.
            observer: Is told of each version that begins to serve, or cannot.
        """
        self._observer = observer or Observer()
        self._repository = repository
        self._store = store
        self._refusals: dict[int, policy.Refusal] = {}
        self._settled: str | None = None  # the digest of the last listing that was followed to its end
        self._champion: int | None = None  # the one that was followed last
        self._said: set[str] = set()  # topics that were logged, and are not logged again until they are put right
        self._stop = threading.Event()
        # A daemon: a store that does not answer for minutes must not hold up the end of the process.
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._interval = 0.0
        self._after_look: Callable[[], object] = lambda: None

    def start(self, interval: float, after_look: Callable[[], object]) -> None:
        """Begin to look.

        Args:
            interval: Seconds of pause between two looks.
            after_look: Called from the watcher's thread after each look.
        """
        self._interval, self._after_look = interval, after_look
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Look no more; waits at most `timeout` seconds for a look under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
                self._after_look()
            except BaseException as error:  # noqa: BLE001 — nobody would notice that a watcher has died
                finding = "the watcher met an unforeseen error, and goes on"
                self._once(type(error).__name__, logging.ERROR, finding, exc_info=error)
            self._stop.wait(self._interval)

    def look(self) -> None:
        """Look once, and follow what is found; an unreachable repository is logged, not raised."""
        try:
            snapshot = self._repository.snapshot() if self._repository.exists() else _NOTHING
            if snapshot.digest != self._settled:
                self._follow(snapshot)
                self._settled = snapshot.digest
            if snapshot.champion is not None:
                self._repository_is_back()
        except ArtifactError as error:
            self._trouble(str(error))

    def _follow(self, snapshot: Snapshot) -> None:
        champion = snapshot.champion
        if champion is None:
            self._without_champion(snapshot)
            return
        if champion != self._champion:
            self._champion = champion
            self._refusals.clear()  # one that is promoted again is refused in words again
        while True:
            active = self._store.active()
            number = active.number if active else None
            refused = policy.still_refused(self._refusals, snapshot.digest)
            stand_ins = self._fallbacks(champion, snapshot) if active is None and champion in refused else ()
            wanted = policy.choose(champion=champion, active=number, refused=refused, fallbacks=stand_ins)
            if wanted is None:
                self._once("unservable", logging.ERROR, "no version can be served; waiting for one that can")
                return
            if active and wanted == number and (wanted in refused or not self._replaced(active)):
                return
            if self._load(wanted, snapshot.digest):
                if wanted != champion:
                    _log.warning("version %d stands in for the champion, version %d", wanted, champion)
                return

    def _without_champion(self, snapshot: Snapshot) -> None:
        """Leave all as it is; but where nothing was published yet, let the pretrained version begin."""
        active = self._store.active()
        wanted = self._store.has_pretrained and policy.pretrained_serves(
            champion=None, available=snapshot.versions, active=active.number if active else None
        )
        if wanted and active:
            return
        url = self._repository.url
        if wanted and self._load(policy.PRETRAINED, snapshot.digest):
            meanwhile = "the pretrained version that ships with Numeral serves until one is published"
            _log.warning("repository %s holds no version yet: %s by: %s", url, meanwhile, PUBLISH_COMMAND)
            return
        self._trouble(f"repository {url} " + ("is not there" if snapshot is _NOTHING else f"names no {CHAMPION}"))

    def _load(self, version: int, digest: str) -> bool:
        """Let a version serve, or remember why not."""
        self._once(f"loading {version}", logging.INFO, f"loading {in_words(label(version))}")
        try:
            loaded = self._store.load(version)
        except RepositoryError:
            raise  # the storage's fault, not the version's: the next look tries again
        except Exception as error:  # noqa: BLE001 — no version, however odd, may stop the watcher
            self._refuse(version, error, digest)
            return False
        self._refusals.pop(version, None)
        self._said.clear()
        self._observer.swapped(loaded)
        _log.info("serving %s, weights sha256 %s", loaded.words, loaded.weights_sha256)
        return True

    def _refuse(self, version: int, error: Exception, digest: str) -> None:
        known = self._refusals.get(version)
        reason = str(error) if isinstance(error, ArtifactError) else f"{type(error).__name__}: {error}"
        self._refusals[version] = policy.Refusal(reason, digest)
        self._observer.load_failed(label(version), type(error).__name__)
        if known is None or known.reason != reason:
            foreseen = isinstance(error, ArtifactError)
            finding = f"{in_words(label(version))} refused: {reason}; {self._going_on()}"
            _log.error("%s", finding, exc_info=None if foreseen else error)

    def _fallbacks(self, champion: int, snapshot: Snapshot) -> tuple[int, ...]:
        moves: list[Move] = []
        try:
            moves = self._repository.alias().history()
        except RepositoryError:
            raise
        except ArtifactError as error:  # one damaged move: go by the numbers alone
            self._once("history", logging.WARNING, f"the history of {CHAMPION} cannot be read: {error}")
        return policy.fallbacks(champion, snapshot.versions, moves)

    def _replaced(self, active: Loaded) -> bool:
        """Whether the active version's number now stands for other weights: a repository that was made anew."""
        if active.number == policy.PRETRAINED:
            return False  # it is not from there
        try:
            manifest = self._repository.manifest(active.number)
        except RepositoryError:
            raise
        except ArtifactError as error:
            self._once("active", logging.WARNING, f"{error}; {self._going_on()}")
            return False
        self._said.discard("active")
        return manifest != active.manifest

    def _going_on(self) -> str:
        active = self._store.active()
        return f"{active.words} goes on serving" if active else "no version serves yet"

    def _trouble(self, finding: str) -> None:
        if self._store.active():
            self._once("repository", logging.WARNING, f"{finding}; {self._going_on()}")
        else:
            hint = f"waiting for a version; one is published by: {PUBLISH_COMMAND}"
            self._once("repository", logging.WARNING, f"{finding}; {hint}")

    def _repository_is_back(self) -> None:
        if "repository" in self._said:
            self._said.discard("repository")
            _log.info("repository %s: the %s can be followed again", self._repository.url, CHAMPION)

    def _once(self, topic: str, level: int, sentence: str, exc_info: BaseException | None = None) -> None:
        """Log the first finding on a topic; others follow only once it has been put right."""
        if topic not in self._said:
            self._said.add(topic)
            _log.log(level, "%s", sentence, exc_info=exc_info)
