"""A bucket: how it is opened, how long it is waited for, and the creation of an object whose answer may be lost.

Keys, region and endpoint come from the environment, as the store's library reads it: see docs/storage.md.
"""

import os
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import ObjectStore, from_url

from core.artifact.location import MEMORY
from core.errors import ConfigError

if TYPE_CHECKING:
    from obstore.store import RetryConfig

__all__ = ["check_endpoint", "create_object", "open_bucket"]

READ_AGAIN: "RetryConfig" = {"max_retries": 2, "retry_timeout": timedelta(seconds=5)}
"""For readers: they poll anyway, and must not block for the minutes that the library would keep retrying."""

WRITE_AGAIN: "RetryConfig" = {
    "max_retries": 50,
    "retry_timeout": timedelta(seconds=30),
    "backoff": {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=5), "base": 2},
}
"""For writers: half a minute, which a burst of 503 does not outlast, because a version may have been trained for hours.
The last of the tries may take the 30 seconds more that the library gives each."""

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")

_WRITER = "writer"
"""The attribute of an object that tells its writer's creation from all others."""


def check_endpoint(url: str) -> None:
    """Refuse an endpoint that the library could not use; it would not return an error, but panic.

    Raises:
        ConfigError: A variable of the environment holds no URL of an endpoint.
    """
    if not url.startswith("s3://"):
        return
    for name in _ENDPOINTS:
        endpoint = os.environ.get(name, "")
        if endpoint and not endpoint.lower().startswith(("http://", "https://")):
            raise ConfigError(f"{name} is {endpoint!r}, expected a URL that begins with https:// or http://")


def open_bucket(url: str, *, writable: bool) -> ObjectStore:
    """A store for a URL; nothing is read yet.

    An endpoint that is named with http:// is used without encryption, as it was named so.

    Args:
        url: `s3://…`, `gs://…`, `az://…` or `memory://`.
        writable: Whether it is waited for as a writer does.
    """
    if url == MEMORY:
        return from_url(url)
    patience = WRITE_AGAIN if writable else READ_AGAIN
    named = any(os.environ.get(name, "").lower().startswith("http://") for name in _ENDPOINTS)
    if url.startswith("s3://") and named and not os.environ.get("AWS_ALLOW_HTTP"):
        # Only then, because with an option of its own the client passes over those in the environment.
        return from_url(url, retry_config=patience, client_options={"allow_http": True})
    return from_url(url, retry_config=patience)


def create_object(store: ObjectStore, path: str, data: bytes) -> bool:
    """Create an object, once.

    If the answer to a creation is lost, the library tries again, and learns that the object is there already. So each
    creation marks its object with a token of its own, by which it knows whether the object is the one it has created.

    Returns:
        False, and nothing is changed, if there is one at this path already.
    """
    token = secrets.token_hex(16)
    try:
        obstore.put(store, path, data, mode="create", use_multipart=False, attributes={_WRITER: token})
    except AlreadyExistsError:
        return _writer(store, path) == token
    return True


def _writer(store: ObjectStore, path: str) -> object:
    try:
        return obstore.get(store, path).attributes.get(_WRITER)
    except FileNotFoundError:  # it was deleted meanwhile
        return None
