"""Checks the three images of a tag: their sizes, what is in them, and that their lists of materials are true.

    python tools/image_sizes.py [TAG]

Needs an engine that has them (docker build --target SIDE --tag numeral-SIDE:TAG .). Each check prints one sentence; the
exit status is 0 only if all of them pass. Sizes are those of the unpacked layers, as `docker image ls` shows them.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

LARGEST = {"pipelines": 530, "service": 335, "web": 320}
"""MB (a million bytes): what docs/kubernetes.md says, and a little room for new versions of the packages."""

DOCUMENTS = "/venv/share/doc/numeral"
SHOWN = 8
"""The packages that are named as the largest."""

# Runs in a container; standard output is one JSON document.
PROGRAM = """
import importlib.util, json, os, shutil, sys
from importlib.metadata import distributions
from pathlib import Path
documents = Path(sys.argv[1])
def size(paths):
    return sum(path.stat().st_size for path in paths if path.is_file() and not path.is_symlink())
def can_write(place):
    try:
        Path(place, "probe").write_text("")
    except OSError:
        return False
    return True
TOOLS = ("cc", "gcc", "g++", "clang", "ld", "as", "make", "cmake", "pip", "pip3", "uv", "git", "curl", "wget")
print(json.dumps({
    "installed": {one.metadata["Name"]: [one.version, size(map(Path, map(one.locate_file, one.files or ())))]
                  for one in distributions()},
    "listed": json.loads((documents / "sbom.cdx.json").read_text()),
    "table": (documents / "licenses.txt").read_text(),
    "tools": [*filter(shutil.which, TOOLS), *filter(importlib.util.find_spec, ("pip", "ensurepip", "setuptools"))],
    "user": os.getuid(),
    "written": [*filter(can_write, ("/", "/app", "/venv", "/usr/local/lib"))],
    "uncompiled": [str(file) for file in Path(os.__file__).parent.glob("*.py")
                   if not Path(importlib.util.cache_from_source(str(file))).exists()],
    "code": size(Path("/app").rglob("*")),
}))
"""


def main(tag: str) -> int:
    """Check the images of a tag."""
    failures = 0
    for side, largest in LARGEST.items():
        image = f"numeral-{side}:{tag}"
        megabytes = round(int(docker("image", "inspect", "--format", "{{.Size}}", image)) / 1e6)
        found = inside(image)
        print(f"{image}: {megabytes} MB: {', '.join(parts(megabytes, found))}")
        too_large = megabytes if megabytes > largest else None
        for sentence, trouble in [(f"it has at most {largest} MB", too_large), *checks(found)]:
            print(f"  FAILED  {sentence}; found: {trouble}" if trouble else f"  ok      {sentence}", flush=True)
            failures += bool(trouble)
    return 1 if failures else 0


def checks(found: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What must be true of an image, and what in it contradicts that, if anything does."""
    installed = {(name, version) for name, (version, _) in found["installed"].items()}
    components = found["listed"]["components"]
    listed = {(component["name"], component["version"]) for component in components}
    yield f"its list of materials names the {len(installed)} packages that are installed", listed ^ installed
    yield "each with a license", [component["name"] for component in components if not component.get("licenses")]
    rows = {tuple(line.split()[:2]) for line in found["table"].splitlines()}
    yield "the table of licenses names the same", rows ^ installed
    yield "nothing in it compiles, installs or downloads", found["tools"]
    yield "it does not run as root", [] if found["user"] else ["user 0"]
    yield "it runs on a file system that it cannot write", found["written"]
    yield "the standard library is compiled", found["uncompiled"][:3]


def parts(megabytes: int, found: dict[str, Any]) -> Iterator[str]:
    """What an image is made of: the largest packages, the other ones, the code, and the rest, which is the base."""
    sizes = sorted(((size, name) for name, (_, size) in found["installed"].items()), reverse=True)
    for size, name in sizes[:SHOWN]:
        yield f"{name} {size / 1e6:.0f}"
    others, code = sum(size for size, _ in sizes[SHOWN:]), found["code"]
    yield f"{len(sizes) - SHOWN} other packages {others / 1e6:.0f}"
    yield f"our own code and data {code / 1e6:.0f}"
    rest = megabytes - (sum(size for size, _ in sizes) + code) / 1e6
    yield f"Debian, Python and bytecode {rest:.0f}"


def inside(image: str) -> dict[str, Any]:
    """What a container of an image says of itself, without a network, on a read-only file system."""
    safe = ("--rm", "--network", "none", "--read-only", "--cap-drop", "ALL")
    found: dict[str, Any] = json.loads(docker("run", *safe, "--entrypoint", "python", image, "-c", PROGRAM, DOCUMENTS))
    return found


def docker(*arguments: str) -> str:
    """The output of a docker command; one that fails ends the program with its error."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"image_sizes: docker {' '.join(arguments)[:80]}: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["latest"])))
