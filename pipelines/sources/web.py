"""A mirror that is a folder on a web server: which answers are used, resumed, tried again or given up."""

import email.utils
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from ssl import SSLContext

import httpx
import tenacity

from core.data.mnist import MnistFile
from pipelines.sources.errors import AbsentError, RefusedError, TransientError, UnreachableError
from pipelines.sources.exchange import Exchange, FetchPolicy
from pipelines.sources.mirrors import SUFFIXES, Say, check, largest
from pipelines.sources.parts import Held, Part, write_all

__all__ = ["HttpMirror"]

TEMPORARY = {408, 425, 429}  # and 5xx
GONE = {404, 410}


class HttpMirror:
    """A folder on a web server."""

    def __init__(self, url: httpx.URL, policy: FetchPolicy) -> None:
        self._url = url
        self._policy = policy
        self.name = _shown(url)
        self.down: str | None = None

    def deliver(self, file: MnistFile, folder: Path, say: Say) -> Part:
        """As `Mirror.deliver`, with the attempts and waiting times of the policy."""
        for suffix in SUFFIXES:
            part = Part(folder / f"{file.name}{suffix}.part")
            url = self._url.copy_with(path=f"{self._url.path.rstrip('/')}/{file.name}{suffix}")
            retrying = tenacity.Retrying(
                retry=self._is_worth_another_try,
                wait=self._wait,
                stop=tenacity.stop_after_attempt(self._policy.attempts),
                before_sleep=lambda state: say(f"{file.name}: {self.name} {_failure(state)}; trying again."),
                reraise=True,
            )
            try:
                retrying(self._attempt, url, part, file)
            except AbsentError:
                continue
            except (UnreachableError, TransientError) as error:
                self.down = str(error)
                raise
            return part
        raise AbsentError(f"has neither {file.name}.gz nor {file.name}")

    def _is_worth_another_try(self, state: tenacity.RetryCallState) -> bool:
        match _failure(state):
            case TransientError(retry_after=seconds):
                return seconds <= self._policy.retry_after_seconds
            case UnreachableError(quick=True):
                return state.attempt_number == 1
        return False

    def _wait(self, state: tenacity.RetryCallState) -> float:
        # Random between zero and a doubling bound, so that many clients do not return at the same moment:
        # M. Brooker, "Exponential Backoff and Jitter" (2015), "full jitter".
        backoff = tenacity.wait_random_exponential(self._policy.backoff_seconds, self._policy.backoff_limit_seconds)
        asked = getattr(_failure(state), "retry_after", 0.0)
        return max(asked, backoff(state))

    def _attempt(self, url: httpx.URL, part: Part, file: MnistFile) -> None:
        """Send one request, for the bytes that are missing."""
        held = part.held(_shown(url))
        if held and part.whole(file):
            return
        asked = {"Range": f"bytes={held.offset}-", "If-Range": held.validator} if held else {}
        with self._ask(url, asked) as (exchange, response):
            offset = _accepted(response, held, part)
            if offset == 0:
                part.begin(_shown(url), _validator(response))
            announced, limit = response.headers.get("Content-Length", ""), largest(file) - offset
            if announced.isdecimal() and int(announced) > limit:
                part.discard()
                raise RefusedError(f"announces {int(announced):,} bytes, where at most {limit:,} can be right")
            _receive(exchange, part, limit)
        try:
            check(part, file)
        except RefusedError as error:
            if offset == 0:
                raise
            raise TransientError(f"{error} after a resumed download, which starts again from the beginning") from error

    @contextmanager
    def _ask(self, url: httpx.URL, headers: Mapping[str, str]) -> Iterator[tuple[Exchange, httpx.Response]]:
        """Send a GET request and follow its redirects."""
        for _ in range(self._policy.redirects + 1):
            with Exchange(self._client, url, headers, self._policy) as exchange:
                response = exchange.response()
                if response.next_request is None:
                    yield exchange, response
                    return
                target = response.next_request.url
            if url.scheme == "https" and target.scheme != "https":
                raise RefusedError(f"redirects from https to {_shown(target)}, which is not followed")
            url = target
        raise RefusedError(f"redirects more than {self._policy.redirects} times")

    def _client(self) -> httpx.Client:
        return httpx.Client(
            # The bytes as they are stored: a server that compresses or unpacks them in transit would break ranges.
            headers={"Accept-Encoding": "identity", "User-Agent": "numeral"},
            timeout=httpx.Timeout(2 * self._policy.stall_seconds, connect=2 * self._policy.connect_seconds),
            verify=self._tls,
        )

    @cached_property
    def _tls(self) -> SSLContext:
        return httpx.create_ssl_context()  # reads hundreds of certificates: once for all requests


def _accepted(response: httpx.Response, held: Held | None, part: Part) -> int:
    """The position in the file at which the body begins.

    Raises:
        MirrorError: The answer has no usable body.
    """
    code, reason = response.status_code, f"answered {response.status_code} {response.reason_phrase}".rstrip()
    if code == httpx.codes.OK:
        return 0
    if code == httpx.codes.PARTIAL_CONTENT and held:
        begins = re.match(r"bytes (\d{1,18})-", response.headers.get("Content-Range", ""))
        if begins and int(begins[1]) == held.offset and _validator(response) in {None, held.validator}:
            return held.offset
        part.discard()
        raise TransientError("resumed at the wrong place")
    if code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and held:
        part.discard()
        raise TransientError(f"{reason}: the bytes held here do not match its file")
    if code in GONE:
        raise AbsentError(reason)
    if code in TEMPORARY or code >= httpx.codes.INTERNAL_SERVER_ERROR:
        seconds = _retry_after(response)
        raise TransientError(f"{reason}, asking for {seconds:.0f} s" if seconds else reason, retry_after=seconds)
    raise RefusedError(reason)


def _receive(exchange: Exchange, part: Part, limit: int) -> None:
    """Append the body to the part, at most `limit` bytes."""
    with part.append() as target:
        for chunk in exchange.chunks():
            limit -= len(chunk)
            if limit < 0:
                part.discard()
                raise RefusedError("sends more bytes than the file can have")
            write_all(target, chunk)


def _validator(response: httpx.Response) -> str | None:
    """A value that If-Range accepts: a strong ETag, else the date (RFC 9110, §13.1.5)."""
    etag: str = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    date: str | None = response.headers.get("Last-Modified")
    return date


def _retry_after(response: httpx.Response) -> float:
    """The Retry-After header in seconds; 0 if it is missing or malformed (RFC 9110, §10.2.3)."""
    text = response.headers.get("Retry-After", "")
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0


def _failure(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _shown(url: httpx.URL) -> str:
    """An address without user information, query and fragment, which may hold secrets."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))
