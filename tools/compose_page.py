"""The commands of docs/deployment.md, as the page shows them: what is tried is what people will type."""

import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

from compose_project import ROOT

__all__ = ["commands", "follow", "type_in"]

PAGE = ROOT / "docs/deployment.md"


def commands(heading: str) -> list[str]:
    """The lines behind `$ ` in the blocks of a section, up to the next heading.

    Raises:
        LookupError: There is no such section, or no command in it.
    """
    section = re.search(
        rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    blocks = re.findall(r"^```console\n(.*?)^```", section[1] if section else "", re.MULTILINE | re.DOTALL)
    found = re.findall(r"^\$ (.*)$", "".join(blocks), re.MULTILINE)
    if not found:
        raise LookupError(f"{PAGE.name} has no commands under the heading {heading!r}")
    return found


def follow(heading: str, folder: Path) -> str:
    """Run the commands of a section one after the other: see `type_in`."""
    return type_in(commands(heading), folder)


def type_in(lines: list[str], folder: Path) -> str:
    """Run command lines in a folder in which `deploy` and `examples` are as in a checkout; gives what they print.

    Raises:
        RuntimeError: One of them failed.
    """
    for name in ("deploy", "examples"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    with tempfile.TemporaryDirectory() as bin_folder:
        docker = Path(bin_folder, "docker")
        # `docker compose` is for the project that is tried; its own path no longer leads here.
        docker.write_text(f'#!/bin/sh\nPATH={shlex.quote(os.environ["PATH"])}\nshift\nexec compose "$@"\n')
        docker.chmod(0o755)
        path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
        script = "\n".join(["set -e", *lines])
        done = subprocess.run(
            ["/bin/sh", "-c", script],
            cwd=folder,
            env=os.environ | {"PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{lines} failed: {(done.stdout + done.stderr)[-1500:]}")
    return done.stdout
