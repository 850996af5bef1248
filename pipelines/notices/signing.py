"""How a webhook proves who sent it: the symmetric signature of the Standard Webhooks specification, version 1.

The receiver computes the same signature from the secret that both know. As the time is signed as well, a request that
somebody has recorded cannot be sent again later. Libraries that verify it exist for many languages:
https://www.standardwebhooks.com
"""

import base64
import binascii
import hashlib
import hmac

from core.errors import ConfigError

__all__ = ["secret_of", "signed"]

_PREFIX = "whsec_"
_BYTES = range(24, 65)
"""How long a secret may be, in bytes, as the specification says."""

_EXPECTED = (
    f"expected {_PREFIX} and {_BYTES.start} to {_BYTES.stop - 1} bytes in Base64, "
    'such as: echo "whsec_$(openssl rand -base64 32)"'
)


def secret_of(text: str, *, place: str) -> bytes:
    """The key within a secret as it is written down.

    Args:
        text: `whsec_` and the key in Base64.
        place: Where the text stands, for messages. The text itself is never repeated.

    Raises:
        ConfigError: It is no such text.
    """
    if not text.startswith(_PREFIX):
        raise ConfigError(f"{place}: the secret does not begin with {_PREFIX}; {_EXPECTED}")
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(f"{place}: the secret is not Base64 behind {_PREFIX}; {_EXPECTED}") from error
    if len(key) not in _BYTES:
        raise ConfigError(f"{place}: the secret has {len(key)} bytes; {_EXPECTED}")
    return key


def signed(key: bytes, *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers that identify and sign a message.

    Args:
        key: See `secret_of`.
        message_id: The same for each attempt to deliver one message, so that the receiver can ignore repetitions.
        timestamp: When this attempt is made, in seconds since 1970.
        body: The bytes that are sent.
    """
    content = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
