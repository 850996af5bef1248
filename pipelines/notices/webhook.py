"""A webhook: notices sent by HTTP to a program of the operator's choice, signed, with several attempts."""

import json
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from uuid import uuid4

import httpx
import tenacity

from core.errors import ConfigError, NumeralError
from pipelines.notices.notice import Notice
from pipelines.notices.signing import secret_of, signed

__all__ = ["Delivery", "Webhook", "WebhookError"]

_TEMPORARY = {408, 425, 429}  # and 5xx


class WebhookError(NumeralError):
    """A notice was not delivered."""


class _TemporaryError(WebhookError):
    """… for a reason that may be gone soon."""


@dataclass(frozen=True)
class Delivery:
    """How patiently a notice is delivered.

    Attributes:
        attempts: How often it is sent at most.
        backoff_seconds: The upper bound of the first random pause; each further one is twice as long.
        timeout_seconds: How long one attempt may take to connect, and how long it may wait for each byte.
        attempt_seconds: How long one attempt may take in all, however the receiver answers.
    """

    attempts: int = 4
    backoff_seconds: float = 2.0
    timeout_seconds: float = 5.0
    attempt_seconds: float = 15.0


class Webhook:
    """Where notices are sent, and with which signature."""

    def __init__(self, url: httpx.URL, key: bytes, delivery: Delivery) -> None:
        self._url = url
        self._key = key
        self._delivery = delivery
        self.host = url.host
        """For messages: the path and the query of a webhook's URL often hold a secret."""

    @classmethod
    def of(cls, url: str, secret: str, *, place: str, delivery: Delivery | None = None) -> Self:
        """The webhook that settings name.

        Args:
            url: `https://…` or `http://…`.
            secret: See `signing.secret_of`.
            place: Where the secret stands, for messages.
            delivery: How patiently notices are delivered.

        Raises:
            ConfigError: The URL or the secret is not usable.
        """
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError) as error:
            raise ConfigError("NUMERAL_WEBHOOK_URL: not a URL; expected https://… or http://…") from error
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise ConfigError("NUMERAL_WEBHOOK_URL: expected https://… or http://… with the name of a host")
        return cls(parsed, secret_of(secret, place=place), delivery or Delivery())

    def send(self, notice: Notice) -> None:
        """Deliver a notice; the receiver has it when this returns.

        Raises:
            WebhookError: It was not delivered: the receiver refuses it, or has failed at every attempt.
        """
        document = {"type": notice.event, "timestamp": notice.at.isoformat(), "data": notice.details}
        body = json.dumps(document).encode()
        message_id = f"msg_{uuid4().hex}"
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_TemporaryError),
            # Random, so that the schedulers of many models do not return at the same moment.
            wait=tenacity.wait_random_exponential(self._delivery.backoff_seconds),
            stop=tenacity.stop_after_attempt(self._delivery.attempts),
            reraise=True,
        )
        retrying(self._attempt, body, message_id)

    def _attempt(self, body: bytes, message_id: str) -> None:
        headers = signed(self._key, message_id=message_id, timestamp=int(time.time()), body=body)
        answers: queue.SimpleQueue[httpx.Response | Exception] = queue.SimpleQueue()
        # No timeout of httpx bounds the look-up of a name, or an answer that comes byte by byte: a thread can be left.
        threading.Thread(target=self._post, args=(body, headers, answers.put), daemon=True).start()
        try:
            answer = answers.get(timeout=self._delivery.attempt_seconds)
        except queue.Empty:
            answer = httpx.ReadTimeout("")
        if isinstance(answer, Exception):
            reason = "it does not answer in time" if isinstance(answer, httpx.TimeoutException) else str(answer)
            raise _TemporaryError(f"webhook at {self.host}: {reason or type(answer).__name__}") from answer
        if answer.is_success:
            return
        found = f"webhook at {self.host}: answered {answer.status_code} {answer.reason_phrase}".rstrip()
        if answer.status_code in _TEMPORARY or answer.is_server_error:
            raise _TemporaryError(found)
        raise WebhookError(f"{found}, expected 2xx; check NUMERAL_WEBHOOK_URL and the secret on both sides")

    def _post(self, body: bytes, headers: dict[str, str], found: Callable[[httpx.Response | Exception], None]) -> None:
        """Find the receiver's status, or why there is none. The rest of its answer is never read, as it may not end."""
        headers = {"Content-Type": "application/json", "User-Agent": "numeral"} | headers
        try:
            with httpx.stream(
                "POST", self._url, content=body, headers=headers, timeout=self._delivery.timeout_seconds
            ) as answer:
                found(answer)
        except Exception as error:  # noqa: BLE001 — of a network, a proxy, a certificate: never one of the run
            found(error)
