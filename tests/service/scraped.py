"""What a server shows to Prometheus."""

import urllib.request
from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families


def scrape(address: str) -> "Callable[..., float]":
    """All series at an address; `found("name", label="value")` gives the value of one, or 0 if there is none."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=60) as response:
        return series(response.read().decode())


def series(text: str) -> "Callable[..., float]":
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def found(name: str, **labels: str) -> float:
        return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())

    return found
