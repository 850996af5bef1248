"""Where a version comes from: code, machine, and a fingerprint that is equal where nothing has changed."""

import getpass
import hashlib
import json
import os
import platform
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from core.artifact.origin import CodeProvenance, Environment
from core.shipped import ROOT
from pipelines.recipe import Recipe

_DECIDING = ("__init__.py", "data", "digit.py", "kernels", "nn", "optim", "registry.py", "train")
"""The files and folders of core/ that decide the weights: all that a training imports of core/ but its errors."""

_DRAWING = ("drawing", "imaging")
"""The folders of core/ that decide drawn images, and so the weights where a recipe has any (`data.styles`)."""


def fingerprint(data: Mapping[str, str], recipe: Recipe) -> str:
    """sha256 over everything that decides the weights: the data's digests, the recipe and the code.

    Args:
        data: sha256 of each data file, by name.
        recipe: With its overrides applied. Its description and its rule for promotion are left out, because they decide
            no weight; so are the share of new data that is held out and the rules that data has to pass, because the
            digests of data are of what trains; and so is the section about drawn images, where there are none. By what
            the recipe names its teacher decides nothing either: the data has the digest of the version that it is.
    """
    of_data = {"held_out_share", "trust", "validation"}
    of_train = {"teacher": {"recipe", "alias", "version", "repository"}}
    exclude: dict[str, Any] = {"description": True, "promotion": True, "data": of_data, "train": of_train}
    if not recipe.data.styles.count:
        exclude["data"] |= {"styles"}
    deciding = recipe.model_dump(mode="json", exclude=exclude)
    document = {"data": dict(data), "recipe": deciding, "sources": sources_digest(recipe)}
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def sources_digest(recipe: Recipe) -> str:
    """sha256 over the paths and the contents of the source files that decide the weights of this recipe."""
    return digest_of_sources(*_in_core(_DECIDING + (_DRAWING if recipe.data.styles.count else ())))


def drawing_digest() -> str:
    """sha256 over the source files that decide drawn images."""
    return digest_of_sources(*_in_core(_DRAWING))


def _in_core(parts: Sequence[str]) -> list[str]:
    return [f"core/{part}" for part in parts]


def digest_of_sources(*parts: str) -> str:
    """sha256 over the paths and the contents of source files.

    Args:
        parts: Files and folders, relative to the project's.
    """
    digest = hashlib.sha256()
    for path in sorted(p for part in parts for p in _sources(ROOT / part)):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def code(recipe: Recipe) -> CodeProvenance:
    """The git commit, if this is a checkout, and the digest of the sources that decide the weights."""
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return CodeProvenance(
        commit=commit, dirty=None if changes is None else bool(changes), sources_sha256=sources_digest(recipe)
    )


def environment(threads: int) -> Environment:
    """The software and hardware that may influence the numbers.

    Args:
        threads: Threads that trained.
    """
    configuration: Any = np.show_config(mode="dicts")
    blas = configuration["Build Dependencies"]["blas"]
    return Environment(
        python=platform.python_version(),
        numpy=np.__version__,
        blas=f"{blas['name']} {blas['version']}{_kernels()}",
        cpu=_cpu(),
        threads=threads,
    )


def author() -> str:
    """Who moves an alias: user and host. In a container, the user may have a number but no name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _sources(path: Path) -> list[Path]:
    """A file, or all files of a folder: what is no Python, such as the strokes of a font, decides as much."""
    if not path.is_dir():
        return [path]
    files = (file for file in path.rglob("*") if file.is_file())
    return [file for file in files if "__pycache__" not in file.parts and not file.name.startswith(".")]


def _git(*arguments: str) -> str | None:
    if not (ROOT / ".git").exists():  # git would look in the folders above, and find somebody else's project
        return None
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True)  # noqa: S607 — wherever git is
    except (OSError, subprocess.SubprocessError):
        return None  # git is not installed, or this is no checkout but e.g. a container image or a source archive
    return done.stdout.strip()


def _kernels() -> str:
    """For which processor the BLAS has chosen its kernels: these decide the last bits."""
    chosen = {library.get("architecture") for library in threadpool_info() if library["user_api"] == "blas"}
    names = ", ".join(sorted(name for name in chosen if name))
    return f", kernels for {names}" if names else ""


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
