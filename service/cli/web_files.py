"""The files of the web server that are read again when they change: its token, and its certificate."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from service import secret_file
from service.reloaded import Reloaded
from service.server.certificates import Identity

__all__ = ["CertificateFiles", "TokenFile", "keep_looking"]

LOOK_SECONDS = 1.0

_log = logging.getLogger(__name__)


class TokenFile:
    """The file with the token that the web server sends."""

    def __init__(self, file: Path) -> None:
        """Read it. Raises ConfigError."""
        place = f"token {file}"
        self._newest: Reloaded[bytes, str] = Reloaded(
            lambda: secret_file.read(file, place, private=True),
            lambda contents: _token(contents, place),
            log=_log,
            consequence="the previous token remains in use",
            report=lambda _: None,
        )

    @property
    def token(self) -> str:
        """The token, as the file has it or last had it."""
        return self._newest.value

    def look(self) -> bool:
        """Whether there is another token since."""
        return self._newest.look()


class CertificateFiles:
    """The files with the certificate and its key, and what a listening socket needs of them."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read and check them. Raises ConfigError."""
        places = f"TLS certificate {certificate}", f"TLS key {key}"

        def read() -> tuple[bytes, bytes]:
            return (
                secret_file.read(certificate, places[0], private=False),
                secret_file.read(key, places[1], private=False),
            )

        def parse(contents: tuple[bytes, bytes]) -> Identity:
            return Identity.parse((contents[0], places[0]), (contents[1], places[1]))

        self._files = certificate, key
        self._newest = Reloaded(
            read, parse, log=_log, consequence="the previous certificate remains in use", report=lambda _: None
        )
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._load()
        if secret_file.exposed(key):  # no error, because container platforms mount secrets so
            _log.warning("%s: any user of this machine can read or change it; run: chmod o= %s", places[1], key)

    def look(self) -> None:
        """Use another certificate from the next handshake on, if there is one since."""
        if self._newest.look():
            self._load()
            _log.info("TLS certificate %s was renewed", self._files[0])

    def _load(self) -> None:
        try:
            self.context.load_cert_chain(*self._files, password="")
        except (OSError, ValueError) as error:  # changed since it was checked
            raise ConfigError(f"TLS certificate {self._files[0]}: cannot be used: {error}") from error


async def keep_looking(*looks: Callable[[], Any]) -> None:
    """Look at files once a second, until cancelled."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for look in looks:
            try:
                await asyncio.to_thread(look)
            except ConfigError as error:
                _log.error("%s", error)


def _token(contents: bytes, place: str) -> str:
    try:
        token = contents.decode("ascii").strip()
    except UnicodeDecodeError:
        raise ConfigError(f"{place}: has characters that no token can have") from None
    if not token.isprintable() or " " in token:
        raise ConfigError(f"{place}: expected one line with the token alone")
    return token
