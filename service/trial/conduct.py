"""Conducting a trial: the services started, asked in turn, measured and stopped."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from time import monotonic, perf_counter, sleep

import numpy as np

from core.artifact.manifest import WEIGHTS, Manifest
from core.artifact.repository import Repository
from core.artifact.trial import Limits, Trial
from core.errors import DamagedVersionError, NumeralError, PictureError
from service.client.blocking import Recognizer
from service.trial.judging import judge, latency
from service.trial.observed import Observed
from service.trial.on_trial import ServiceOnTrial
from service.trial.questions import Picture, pictures_like

__all__ = ["conduct"]

_LOOK_EVERY = 0.02
"""Seconds between two looks at whether a service is ready."""

_TIMES = 3
"""How often each picture is sent to each service in one round."""

_ROUNDS = 5
"""How many rounds there are at most: another one follows as long as the version seems to be too slow."""

_PATIENCE = 60.0
"""Seconds that the first answers may take."""

_ASKING_SECONDS = 120.0
"""Seconds after which no further picture is sent: what was measured by then decides."""


class _Asked:
    """A service that is ready, and what is seen of its answers."""

    def __init__(self, service: ServiceOnTrial, client: Recognizer) -> None:
        self.seen = Observed(service.version, service.ready_seconds)
        self._service = service
        self._client = client
        self._times: list[float] = []  # the milliseconds of its answers to the present picture
        self._failure = ""  # why it gave no answer the last time that it gave none

    def check_golden(self, manifest: Manifest) -> None:
        """Compare its answers to the golden images with those at the training."""
        golden, weights = manifest.golden, manifest.files[WEIGHTS].sha256
        images, expected = golden.arrays()  # (G, 28, 28), (G, 10)
        self.seen.golden = len(images)
        wrong = []
        for number, (image, row) in enumerate(zip(images, expected, strict=True)):
            try:
                found = self._client.recognize(image, timeout=_PATIENCE)
            except NumeralError as error:
                self.seen.golden_wrong = f"no answer to image {number}: {error}"
                return
            if found.weights_sha256 != weights:
                self.seen.golden_wrong = f"they come from other weights, those of version {found.model_version}"
                return
            off = float(np.abs(np.asarray(found.probabilities, np.float32) - row).max())
            if not off <= golden.tolerance:
                wrong.append(f"by {off:.2g} on image {number}")
        if wrong:
            self.seen.golden_wrong = f"{len(wrong)} of {len(images)} differ, {wrong[0]}"

    def ask(self, picture: Picture) -> None:
        """Measure one answer. That a picture shows no digit is an answer."""
        if self.seen.trouble:
            return
        began = perf_counter()
        try:
            self._client.recognize(picture)
        except PictureError:
            pass
        except NumeralError as error:
            self._failure = str(error)
            return
        self._times.append(1000 * (perf_counter() - began))

    def keep_fastest(self, number: int) -> None:
        """Keep the fastest answer to the picture of this number, of this round and those before.

        A service that gave none in this round is not asked again.
        """
        if self._times:
            self.seen.fastest_ms[number : number + 1] = [
                min([*self._times, *self.seen.fastest_ms[number : number + 1]])
            ]
        else:
            self.seen.trouble = self.seen.trouble or self._failure
        self._times.clear()

    def close(self) -> None:
        """See what has become of the process."""
        self._service.look()
        self.seen.trouble = self._service.trouble or self.seen.trouble
        self.seen.memory_mb = self._service.memory()


def conduct(repository: Repository, version: int, beside: int | None, pictures: int, limits: Limits) -> Trial:
    """Try a version, beside another one.

    Both are served at the same time and asked in turn, so that what else the machine does slows down both alike.

    Args:
        repository: Where both are published.
        version: The version; it need not be promoted.
        beside: What to compare it with; None for nothing. A version that cannot be served compares with nothing.
        pictures: How many pictures each is asked to read.
        limits: What the version must keep within.

    Raises:
        VersionNotFoundError: There is no such version.
        RepositoryError: The repository cannot be reached.
        CannotTryError: No service can be started here.
    """
    try:
        manifest = repository.manifest(version)
    except DamagedVersionError as error:
        return _recorded(version, None, Observed(version, trouble=str(error)), None, 0, limits)
    tried = [version] if beside is None else [version, beside]
    with ExitStack() as stack:
        services = [stack.enter_context(ServiceOnTrial(repository.url, number)) for number in tried]
        for service in services:
            stack.callback(service.ask_to_stop)  # both at once, before each is awaited
        _await(services, limits.ready_seconds)
        candidate, champion, sent = _ask(services, manifest, pictures, limits, stack)
    return _recorded(version, manifest.files[WEIGHTS].sha256, candidate, champion, sent, limits)


def _recorded(
    version: int, weights: str | None, candidate: Observed, champion: Observed | None, sent: int, limits: Limits
) -> Trial:
    return Trial(
        version=version,
        weights_sha256=weights,
        beside=champion.version if champion else None,
        at=datetime.now(UTC),
        pictures=sent,
        checks=judge(candidate, champion, sent, limits),
        candidate=candidate.measured,
        champion=champion.measured if champion else None,
    )


def _await(services: Sequence[ServiceOnTrial], seconds: float) -> None:
    """Wait until it is known of each service whether it can answer, for so many seconds at most."""
    deadline = monotonic() + seconds
    while monotonic() < deadline and (waiting := [service for service in services if not service.settled]):
        for service in waiting:
            service.look()
        sleep(_LOOK_EVERY)


def _ask(
    services: Sequence[ServiceOnTrial], manifest: Manifest, pictures: int, limits: Limits, stack: ExitStack
) -> tuple[Observed, Observed | None, int]:
    """Ask the services that are ready: the first one, whose answers are checked, and the other, which is measured.

    Returns:
        What was seen of both, and how many pictures were sent to each.
    """
    if services[0].ready_seconds is None:
        return Observed(services[0].version, trouble=services[0].trouble), None, 0
    ready = [service for service in services if service.ready_seconds is not None]
    asked = [_Asked(service, stack.enter_context(Recognizer(service.address))) for service in ready]
    asked[0].check_golden(manifest)
    candidate, champion = asked[0].seen, asked[1].seen if len(asked) > 1 else None
    sent, deadline = pictures_like(manifest.golden, pictures), monotonic() + _ASKING_SECONDS
    for _ in range(_ROUNDS):
        sent = sent[: _measure(asked, sent, deadline)]
        compared = latency(candidate, champion, limits)
        if compared is None or compared.passed:
            break
    for one in asked:
        one.close()
    return candidate, champion, len(sent)


def _measure(asked: Sequence[_Asked], pictures: Sequence[Picture], deadline: float) -> int:
    """Send each picture to each service several times, now to the one first and now to the other.

    Returns:
        How many pictures there was time for, now or in an earlier round.
    """
    for number, picture in enumerate(pictures):
        if monotonic() > deadline:
            return max(number, *(len(one.seen.fastest_ms) for one in asked))
        for turn in range(_TIMES):
            for one in asked[:: 1 if turn % 2 == 0 else -1]:
                one.ask(picture)
        for one in asked:
            one.keep_fastest(number)
    return len(pictures)
