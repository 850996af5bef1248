"""The commands of a page: each is run in the prepared folder, and its output is compared with what is shown."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.docs.command import Command
from tests.docs.output import matches
from tests.docs.servers import SETTINGS, Listening, Servers

__all__ = ["Console"]

PORT = re.compile(r"--port \d+")


class Console:
    """The terminal of a page.

    Args:
        folder: Where its commands run.
        environment: Their environment, but for the PATH: `python` is the one that runs the tests.
        servers: What listens at the addresses that pages name.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], servers: Servers) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        self._folder = folder
        self._environment = dict(environment) | {"PATH": path}
        self._servers = servers
        self._before: list[str] = []

    def run(self, command: Command) -> None:
        """Run a command.

        Raises:
            AssertionError: It failed, or printed something else than the page shows.
        """
        if command.prepares:
            self._before.append(command.line)
        words = command.programs[0] if len(command.programs) == 1 else []
        if words[:3] == ["python", "-m", "service"] and words[3:4] and words[3] in SETTINGS:
            self._listen(command, words[3])
            return
        done = self._shell(self._servers.real(command.line))
        printed = self._servers.shown(done.stdout).strip("\n")
        assert done.returncode == 0, f"$ {command.line}\nended with status {done.returncode}: {printed}\n{done.stderr}"
        if command.output:
            # A terminal shows standard error too; of that, pages show nothing, or all.
            everything = self._servers.shown(done.stderr).strip("\n") + "\n" + printed
            right = matches(command.output, printed) or matches(command.output, everything.strip("\n"))
            assert right, f"$ {command.line}\nthe page shows\n{command.output}\nprinted was\n{printed}\n{done.stderr}"

    def _shell(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", "\n".join([*self._before, line])],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def _listen(self, command: Command, kind: str) -> None:
        """Start it on a free port, wait until it says that it listens, and stop it."""
        line = PORT.sub("--port 0", command.line)
        script = "\n".join([*self._before, f"exec env -- {self._servers.real(line)}"])
        server = Listening(["bash", "-c", script], kind, self._folder, self._environment)
        said, status = server.said, server.stop()
        shown = re.sub(r":\d+$", f":{server.port}", command.output)
        assert not shown or matches(shown, said.strip()), (
            f"$ {command.line}\nthe page shows {shown!r}, it said {said!r}"
        )
        assert status == 0, f"$ {command.line}\nended with status {status}"
