"""The command `numeral`: `numeral --version`, and `numeral pipelines …` and `numeral service …` for the two sides."""

import sys
from importlib.metadata import PackageNotFoundError, entry_points, version

__all__ = ["main", "software_version"]

SIDES = {"pipelines": "train, publish and manage versions", "service": "serve the promoted version, or read pictures"}


def software_version() -> str:
    """The version of Numeral that is installed; "unknown" for sources that are not."""
    try:
        return version("numeral")
    except PackageNotFoundError:
        return "unknown"


def main() -> None:
    """Run the command line. Exit status 2 for what it does not know."""
    side, *arguments = sys.argv[1:] or ["--help"]
    if side in ("--version", "-V"):
        print(f"numeral {software_version()}")
    elif side in ("--help", "-h"):
        width = max(map(len, SIDES))
        print("Usage: numeral [--version] SIDE ARGUMENT…\n")
        print(*(f"  numeral {name:<{width}}  {what} (also: numeral-{name})" for name, what in SIDES.items()), sep="\n")
    elif side in SIDES:
        _run(side, arguments)
    else:
        sys.exit(_trouble(f"no side {side!r}; expected {' or '.join(SIDES)}: numeral --help"))


def _run(side: str, arguments: list[str]) -> None:
    """Run the command of one side, which need not be installed."""
    (script,) = entry_points(group="console_scripts", name=f"numeral-{side}")
    try:
        command = script.load()
    except ModuleNotFoundError as error:
        sys.exit(_trouble(f'the packages of {side} are not installed ({error}); try: pip install "numeral[{side}]"'))
    sys.argv = [f"numeral {side}", *arguments]
    command()


def _trouble(sentence: str) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return 2
