"""Asks a service for its metrics: what it has counted, and which versions it serves."""

import time
from typing import Any

import httpx

from core.errors import NumeralError
from pipelines.canary.metrics_page import MetricsPage

__all__ = ["ServiceSilentError", "ask"]

_SECONDS = 5.0
"""How long a service may take to answer."""

_LARGEST = 64 * 1024 * 1024
"""Bytes of an answer that are read; those of a service have some hundred thousand."""


class ServiceSilentError(NumeralError):
    """A service does not show its metrics."""


def ask(address: str, versions: tuple[int, int]) -> MetricsPage:
    """What a service shows about two versions.

    Args:
        address: The URL of its metrics, see `pipelines.canary.address`.
        versions: The canary and the champion.

    Raises:
        ServiceSilentError: It does not answer, or what answers is no service.
    """
    try:
        samples = _samples(_read(address))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        why = "it does not answer in time" if isinstance(error, httpx.TimeoutException) else str(error)
        raise ServiceSilentError(
            f"no metrics at {address} ({why or type(error).__name__}); is the service started with --metrics-port?"
        ) from error
    except ValueError as error:
        raise ServiceSilentError(f"{address} shows no metrics ({error}); is that another program's port?") from error
    page = MetricsPage.of(samples, versions)
    if page is None:
        raise ServiceSilentError(
            f"{address} has no numeral_start_timestamp_seconds; is that the port of another program, or of a service "
            "of an earlier release?"
        )
    return page


def _read(address: str) -> str:
    deadline, found = time.monotonic() + 2 * _SECONDS, bytearray()
    # Without the proxy that the environment may name: it is for the public mirrors.
    with (
        httpx.Client(trust_env=False, timeout=_SECONDS, follow_redirects=False) as client,
        client.stream("GET", address, headers={"User-Agent": "numeral"}) as answer,
    ):
        answer.raise_for_status()
        for part in answer.iter_bytes():
            found += part
            if len(found) > _LARGEST:
                raise ValueError(f"more than {_LARGEST:,} bytes")
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("")
    return found.decode()


def _samples(text: str) -> list[Any]:
    from prometheus_client.parser import text_string_to_metric_families  # here: most commands need no metrics

    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]
