"""What keeps a service from answering calls with a canary, and what to do about it: pure, by what the service shows."""

from pipelines.canary.challenger_alias import CHALLENGER, Canary
from pipelines.canary.metrics_page import MetricsPage

__all__ = ["failed_there", "hindrance"]

_FALLBACK = "fallback"

_PASSING = {"StorageHungError", "RepositoryError", "NotEnoughMemoryError"}
"""Errors of which the version is not the cause: the service tries again."""


def failed_there(page: MetricsPage, canary: Canary, address: str) -> str:
    """Why a service shows that the canary must not go forward; "" if it does not show that."""
    if page.refused == _FALLBACK:
        return f"the service at {address} has fallen back from version {canary.version}; its log says why"
    if page.refused and page.refused not in _PASSING:
        return f"the service at {address} cannot load version {canary.version}: {page.refused}; its log says more"
    return ""


def hindrance(page: MetricsPage, canary: Canary, address: str) -> str:
    """Why no call reaches the canary at a service, although it has not failed; "" if calls do or may."""
    version = canary.version
    if not page.shares.keys() & {CHALLENGER, str(version)}:
        return (
            f"the service at {address} sends no calls to the alias {CHALLENGER}: start it with --canary "
            f"{CHALLENGER}:10% (NUMERAL_CANARY)"
        )
    if page.refused:
        return f"the service at {address} cannot load version {version} for now: {page.refused}"
    if not page.loaded and page.crowded:
        return f"the service at {address} has seen more versions than it counts one by one: start it again"
    if not page.loaded:
        return f"the service at {address} has not loaded version {version}; does it follow the same repository?"
    if page.pinned:
        return (
            f"version {page.pinned} is pinned at the service at {address}, so that no call reaches the canary; "
            "python -m service pin --policy ends that"
        )
    return ""
