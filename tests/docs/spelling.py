"""Whether a command is one that exists: its subcommand, its options and their values, its target, its method.

Nothing is run: the parsers of the programs themselves read the arguments.
"""

import importlib
import importlib.util
import json
import re
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from typing import Any

import typer
from google.protobuf import descriptor_pool, json_format, message_factory
from typer.main import get_command

from exercises.commands import _parser as exercises_parser
from protos.inference import open_inference_pb2  # noqa: F401 — registers its methods
from protos.numeral.v1 import recognizer_pb2  # noqa: F401 — likewise
from service.cli.long_to_import import add_commands
from tests.docs.command import Command
from tests.docs.pages import ROOT

__all__ = ["mistakes"]

APPS = {"benchmarks": "benchmarks.__main__", "pipelines": "pipelines.cli.commands", "service": "service.cli.commands"}
"""Where the command lines are that Typer reads."""
SCRIPTS = {"numeral-pipelines": "pipelines", "numeral-service": "service"}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
METHOD = re.compile(r"([\w.]+)/(\w+)$")


@cache
def _app(module: str) -> Any:
    found = importlib.import_module(APPS[module])
    if module == "service":  # it imports some of its commands only when they are asked for
        add_commands(found.app, found.serve, [])
    return get_command(found.app)


def _typer(module: str) -> Callable[[Sequence[str]], None]:
    def read(arguments: Sequence[str]) -> None:
        command, name, rest = _app(module), module, list(arguments)
        while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
            name, *rest = rest
            if name not in command.commands:
                raise ValueError(f"no command {name!r}; there are {', '.join(sorted(command.commands))}")
            command = command.commands[name]
        try:
            command.make_context(name, rest)
        except typer.Exit:  # --help, which stands for all that follows
            return

    return read


def _exercises(arguments: Sequence[str]) -> None:
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()) as said:
        try:
            exercises_parser().parse_args(arguments)
        except SystemExit as end:
            if end.code:
                raise ValueError(said.getvalue().strip().rpartition("\n")[2]) from None


def _method(arguments: Sequence[str]) -> None:
    """grpcurl and buf: the method that is called exists, and what is sent is a message of its."""
    for service, method in (match.groups() for match in map(METHOD.search, arguments) if match):
        found = descriptor_pool.Default().FindServiceByName(service).FindMethodByName(method)
        if "-d" in arguments and (sent := arguments[arguments.index("-d") + 1]) != "@":
            json_format.ParseDict(json.loads(sent), message_factory.GetMessageClass(found.input_type)())


def _target(arguments: Sequence[str]) -> None:
    unknown = {word for word in arguments if "=" not in word and not word.startswith("-")} - TARGETS
    if unknown:
        raise ValueError(f"no target {', '.join(sorted(unknown))} in the Makefile")


def _script(name: str) -> None:
    if not (ROOT / name).exists():
        raise ValueError(f"there is no file {name}")


READERS: dict[str, Callable[[Sequence[str]], None]] = {
    **{module: _typer(module) for module in APPS},
    "exercises": _exercises,
}


def _module(arguments: Sequence[str]) -> None:
    """What stands behind `python`."""
    if arguments[:1] != ["-m"]:
        if arguments and not arguments[0].startswith("-"):
            _script(arguments[0])
        return
    module, *rest = arguments[1:]
    if module in READERS:
        READERS[module](rest)
    elif module.partition(".")[0] in ("benchmarks", "core") and importlib.util.find_spec(module) is None:
        raise ValueError(f"there is no module {module}")


def _inside(arguments: Sequence[str]) -> None:
    """docker and kubectl: what is run inside a container."""
    if "python" in arguments:
        _module(arguments[arguments.index("python") + 1 :])


CHECKS: dict[str, Callable[[Sequence[str]], None]] = {
    "docker": _inside,
    "grpcurl": _method,
    "kubectl": _inside,
    "make": _target,
    "npx": _method,
    "python": _module,
    **{script: _typer(module) for script, module in SCRIPTS.items()},
}


def _check(words: Sequence[str]) -> None:
    program, *arguments = words
    name = "python" if program.endswith("bin/python") else program
    if name in CHECKS:
        CHECKS[name](arguments)
    elif name.startswith(("tools/", "deploy/")):
        _script(name)


def mistakes(command: Command) -> list[str]:
    """What is wrong with a command, in sentences; nothing, if it could be run."""
    found = []
    for words in command.programs:
        try:
            _check(words)
        except Exception as error:  # noqa: BLE001 — each parser has errors of its own
            found.append(f"`{' '.join(words)}`: {getattr(error, 'message', None) or error}")
    return found
