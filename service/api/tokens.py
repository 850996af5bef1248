"""The bearer tokens in a file, with the role and the quota that each of them gives."""

import hashlib
import hmac
import logging
import re
from pathlib import Path

from core.errors import ConfigError
from service import secret_file
from service.api.token_terms import quota_of, terms
from service.observer import Observer
from service.quota import Quota
from service.reloaded import Reloaded
from service.roles import Role

__all__ = ["Tokens", "digest_of"]

SHORTEST_TOKEN = 16
"""Characters; shorter tokens can be guessed."""

_ROLES = {"predict": Role.PREDICT, "admin": Role.ADMIN}

_log = logging.getLogger(__name__)


def digest_of(token: bytes) -> bytes:
    """The digest by which a token is known, 32 bytes."""
    return hashlib.sha256(token).digest()


class Tokens:
    """The tokens in a file, as digests; `look` reads the file again.

    Each line is `role:token` or, so that the file does not reveal the token, `role:sha256:digest`, where the role is
    `predict` or `admin`. A quota may follow, such as `rate=100 burst=200`: see `service.api.token_terms`. There may be
    any number of lines: to replace a token, add the new one, change the clients, and then remove the old one.
    """

    def __init__(self, file: str, observer: Observer | None = None) -> None:
        """Read the file.

        Args:
            file: Its name.
            observer: Notified of each look at the file.

        Raises:
            ConfigError: It cannot be read, or any user of this machine can read it, or a line is malformed.
        """
        self._file = Path(file)
        self._place = f"tokens {file}"
        told = observer or Observer()
        self._quotas: dict[bytes, Quota] = {}
        self._roles = Reloaded(
            lambda: secret_file.read(self._file, self._place, private=True),
            self._parse,
            log=_log,
            consequence="the previous tokens remain valid",
            report=lambda usable: told.reloaded("tokens", usable),
        )

    def role_of(self, digest: bytes) -> Role:
        """The role that the token with a digest gives; ANYBODY for an unknown token."""
        # Every digest is compared, each in constant time: the duration reveals neither a token nor their number.
        found = Role.ANYBODY
        for known, role in self._roles.value.items():
            if hmac.compare_digest(known, digest):
                found = role
        return found

    def quota_of(self, digest: bytes) -> Quota | None:
        """The quota of the token with a digest; None if it has none."""
        return self._quotas.get(digest)

    def look(self) -> None:
        """Read the file again, by one thread at a time. A file that cannot be used changes nothing."""
        if self._roles.look():
            _log.info("%s: read again, %d tokens are valid", self._place, len(self._roles.value))

    def _parse(self, contents: bytes) -> dict[bytes, Role]:
        """The digests in the file. Messages never quote a line: it may hold a token."""
        try:
            lines = contents.decode().splitlines()
        except UnicodeDecodeError as error:
            raise ConfigError(f"{self._place}: is not UTF-8 text") from error
        roles: dict[bytes, Role] = {}
        quotas: dict[bytes, Quota] = {}
        for number, line in enumerate(map(str.strip, lines), 1):
            if not line or line.startswith("#"):
                continue
            place = f"{self._place}, line {number}"
            entry, fields = terms(line)
            digest, role = _entry(entry, place)
            if roles.setdefault(digest, role) is not role:
                raise ConfigError(f"{place}: an earlier line gives the same token another role")
            if quota := quota_of(role, fields, place, self._quotas.get(digest)):
                quotas[digest] = quota
        if not roles:
            raise ConfigError(f"{self._place}: holds no token; expected lines such as predict:TOKEN")
        self._quotas = quotas
        return roles


def _entry(line: str, place: str) -> tuple[bytes, Role]:
    """The digest and the role in one line."""
    name, _, token = line.partition(":")
    role = _ROLES.get(name)
    if role is None or not token:
        raise ConfigError(f"{place}: expected predict:TOKEN or admin:TOKEN")
    scheme, _, digest = token.partition(":")
    if scheme == "sha256":
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise ConfigError(f"{place}: expected 64 hexadecimal digits in lower case after sha256:")
        return bytes.fromhex(digest), role
    if len(token) < SHORTEST_TOKEN or not token.isascii() or any(c.isspace() for c in token):
        raise ConfigError(f"{place}: expected a token of at least {SHORTEST_TOKEN} ASCII characters without spaces")
    return digest_of(token.encode()), role
