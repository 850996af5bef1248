"""Downloads the four MNIST files: fetch (order and cache) → folder, web → exchange (one request), parts (resuming)."""

from pipelines.sources.exchange import FetchPolicy
from pipelines.sources.fetch import FALLBACKS, PUBLIC_MIRRORS, SHIPPED, FetchedFile, fetch_all

__all__ = ["FALLBACKS", "PUBLIC_MIRRORS", "SHIPPED", "FetchPolicy", "FetchedFile", "fetch_all"]
