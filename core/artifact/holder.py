"""Which process holds something, so that another process can say so, and can tell whether the holder still lives."""

import os
import socket
from contextlib import suppress
from typing import Self

from pydantic import Field

from core.artifact.fields import Part
from core.process_start import PROC, process_start

__all__ = ["Holder"]


class Holder(Part):
    """One process.

    Attributes:
        host: The machine's name, for people.
        pid: The process's number.
        began: When the process started, in ticks since the machine did: a number that is used again begins later.
        machine: One start of one machine, and its namespace of process numbers: a container has its own. "" where the
            system does not tell; then nobody can know whether the process lives.
    """

    host: str = Field(max_length=255)
    pid: int = Field(ge=1)
    began: str = Field("", max_length=40)
    machine: str = Field("", max_length=200)

    @classmethod
    def of_this_process(cls) -> Self:
        """The process that asks."""
        pid = os.getpid()
        began, machine = process_start(pid), _machine()
        return cls(host=socket.gethostname()[:255], pid=pid, began=began or "", machine=machine if began else "")

    def is_dead(self) -> bool:
        """Whether the process is known to have ended. False if it lives, and also if that cannot be known from here."""
        if not self.machine or self.machine != _machine():
            return False
        return not self._lives()

    def lives_here(self) -> bool:
        """Whether it is a process of this machine that lives. What ran in a container that has ended does not."""
        return self.machine == _machine() and self._lives()

    def _lives(self) -> bool:
        try:
            os.kill(self.pid, 0)  # sends nothing
        except ProcessLookupError:
            return False
        except PermissionError:  # another user's: the system may hide what began when
            pass
        return process_start(self.pid) in (self.began, None)

    def __str__(self) -> str:
        """In words."""
        return f"process {self.pid} on {self.host}"


def _machine() -> str:
    with suppress(OSError):
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(PROC / 'self/ns/pid').readlink()}"
    return ""
