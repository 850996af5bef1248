"""Blocks of data: they can be parsed."""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

import yaml

__all__ = ["PARSERS"]


def _json(text: str) -> None:
    """A document, or some members of an object; `…` may stand for elements that are left out."""
    whole = re.sub(r",\s*…", "", text)
    json.loads(f"{{{whole}}}" if re.match(r'\s*"[^"]*"\s*:', whole) else whole)


def _yaml(text: str) -> None:
    list(yaml.safe_load_all(text))


def _proto(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "block.proto")
        file.write_text(text if "syntax =" in text else f'syntax = "proto3";\n{text}', "utf-8")
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", "--descriptor_set_out=/dev/null", file]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise ValueError(done.stderr)


PARSERS: dict[str, Callable[[str], object]] = {"json": _json, "proto": _proto, "toml": tomllib.loads, "yaml": _yaml}
"""By language: a function that raises what is wrong."""
