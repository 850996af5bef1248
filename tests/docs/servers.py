"""What listens while a page is run: a service and the page's web server, on free ports, once a block needs them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

__all__ = ["SETTINGS", "Listening", "Servers"]

SAYS = re.compile(r"listening on (?:https?://)?127\.0\.0\.1:(\d+)\n")
SERVICE = re.compile(r"(?<![\w.-])(?:localhost|127\.0\.0\.1):8500\b|\bHOST:PORT\b")
WEB = re.compile(r"(?<![\w.-])(?:localhost|127\.0\.0\.1):8080\b")
SETTINGS = {"serve": "NUMERAL_PORT", "web": "NUMERAL_WEB_PORT"}
PATIENCE = 240.0
"""Seconds after which a process that was asked to end is taken for one that never will, on the busiest machine."""


class Listening:
    """A command that listens until it is stopped.

    Args:
        command: Its words.
        kind: "serve" or "web".
        folder: Where it runs.
        environment: Its environment. Unless the command names a port, it listens on a free one.

    Raises:
        AssertionError: It does not say where it listens.
    """

    def __init__(self, command: list[str], kind: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._log = (folder / f"listening-{os.urandom(4).hex()}.log").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment) | {SETTINGS[kind]: "0"},
            stdout=subprocess.PIPE,
            stderr=self._log,
            encoding="utf-8",
        )
        assert self._process.stdout
        self.said = self._process.stdout.readline()
        found = SAYS.fullmatch(self.said)
        if not found:
            self.stop()
            raise AssertionError(f"{' '.join(command)} does not say where it listens: {self.said!r}\n{self.log()}")
        self.port = found[1]

    def log(self) -> str:
        """Its standard error until now."""
        return Path(self._log.name).read_text("utf-8")

    def stop(self) -> int:
        """Ask it to end, as a supervisor does; its exit status."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=PATIENCE)
        finally:
            self._process.kill()
            self._log.close()
        return self._process.returncode


class Servers:
    """The service and the web server of a page, each started when a text first names its address."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._running = ExitStack()

    def __enter__(self) -> "Servers":
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _start(self, *words: str) -> str:
        server = Listening([sys.executable, "-m", "service", *words], words[0], self._folder, self._environment)
        self._running.callback(server.stop)
        return f"127.0.0.1:{server.port}"

    @cached_property
    def _service(self) -> str:
        return self._start("serve", "--feedback", "feedback", "--workers", "1", "--poll-seconds", "0.1")

    @cached_property
    def _web(self) -> str:
        return self._start("web", "--address", self._service)

    def real(self, text: str) -> str:
        """The text with the addresses at which the servers are in place of those that pages name."""
        text = SERVICE.sub(lambda _: self._service, text)
        return WEB.sub(lambda _: self._web, text)

    def shown(self, text: str) -> str:
        """The reverse, for outputs."""
        for name, address in (("_service", "127.0.0.1:8500"), ("_web", "127.0.0.1:8080")):
            if real := self.__dict__.get(name):
                text = text.replace(real, address)
        return text
