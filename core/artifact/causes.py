"""Why a storage has failed, in one sentence that says what to do: from the errors of the system and of the library.

The library's errors are the text of its request, the store's XML and debugging output, over many lines. What is in them
is found by the codes that S3 documents (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
"""

import errno
import os
import re

__all__ = ["cause"]

_OF_DISKS = {
    errno.ENOSPC: "free some, e.g. with: python -m pipelines models prune",
    errno.EDQUOT: "free some, e.g. with: python -m pipelines models prune",
    errno.EROFS: "it has to be mounted writable, or another repository be named",
    errno.EACCES: "the user that runs this needs the permission",
    errno.EPERM: "the user that runs this needs the permission, and the file system must support hard links",
    errno.EIO: "the disk or the network disk has failed",
    errno.ESTALE: "the network disk has failed; it has to be mounted again",
}
"""What to do, by the error of the system."""

_REGION = "the bucket is in another region; set AWS_REGION to {region}"

_OF_BUCKETS = {
    "ExpiredToken": "the credentials have expired; renew AWS_SESSION_TOKEN and the two keys that belong to it",
    "InvalidToken": "the store does not accept AWS_SESSION_TOKEN; unset it, or renew it with its two keys",
    "InvalidAccessKeyId": "the store does not know the access key; check AWS_ACCESS_KEY_ID and the endpoint",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key; check AWS_SECRET_ACCESS_KEY",
    "RequestTimeTooSkewed": "the clock of this machine is wrong by more than 15 minutes; set it",
    "AccessDenied": "access is denied; the policy of these credentials must allow it, see docs/storage.md",
    "NoSuchBucket": "there is no such bucket; create it, or correct its name, AWS_REGION or AWS_ENDPOINT",
    "AuthorizationHeaderMalformed": _REGION,
    "PermanentRedirect": _REGION,
    "Received redirect without LOCATION": _REGION,
    "SlowDown": "the store is overloaded and has answered 503 to every try; try again later",
    "ServiceUnavailable": "the store has answered 503 to every try; try again later",
    "/latest/api/token": "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "/latest/meta-data": "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "BadScheme": "{endpoint} is no https:// URL, and plain http is not allowed; set AWS_ALLOW_HTTP=true",
    "dns error": "the host of {endpoint} is not known; check the endpoint, and whether there is a network",
    "ConnectionRefused": "nothing listens at {endpoint}; check the endpoint, and whether the store runs",
    "InvalidContentType": "{endpoint} does not speak TLS; write http:// in the endpoint if it is meant",
    "InvalidCertificate": "the certificate of {endpoint} is not accepted; SSL_CERT_FILE may name that of its authority",
    "TimedOut": "{endpoint} has not answered in time, at any try; check the network, or try again later",
    "403 Forbidden": "access is denied; the policy of these credentials must allow it, see docs/storage.md",
    "error sending request": "{endpoint} cannot be reached, or has closed the connection; try again later",
}
"""What to say, by what the library's error contains: the first that it does."""

_OF_THE_WAY = frozenset({"dns error", "ConnectionRefused", "TimedOut", "error sending request"})
"""Failures that a proxy may be the reason for."""

_ENDPOINT = re.compile(r"https?://[^/\s\"]+")
_WANTED_REGION = re.compile(r"<Region>([\w-]+)</Region>|expecting '([\w-]+)'")
_FAILURE = re.compile(r"Server returned non-2xx status code: (\d{3}[^:<]*)")


def cause(error: Exception) -> str:
    """The cause of an error, and the next step if there is one.

    Args:
        error: Of the system, of the library, or of a path that is none.
    """
    if isinstance(error, OSError) and error.strerror:
        advice = _OF_DISKS.get(error.errno or 0)
        return f"{error.strerror}; {advice}" if advice else error.strerror
    text = str(error)
    for mark, sentence in _OF_BUCKETS.items():
        if mark in text:
            endpoint = _ENDPOINT.search(text)
            region = _WANTED_REGION.search(text)
            found = sentence.format(
                endpoint=endpoint[0] if endpoint else "the store",
                region=next(filter(None, region.groups())) if region else "the one that it was created in",
            )
            return found + _of_proxy() if mark in _OF_THE_WAY else found
    if status := _FAILURE.search(text):
        return f"the store has answered {status[1].strip()}"
    return text.partition("\n")[0]


def _of_proxy() -> str:
    """A hint at the proxy, if one is set: requests to the machine itself go through it too."""
    names = [
        name
        for name in ("http_proxy", "https_proxy", "all_proxy")
        if os.environ.get(name, os.environ.get(name.upper()))
    ]
    return f"; {names[0]} is set, and applies unless no_proxy names the store's host" if names else ""
