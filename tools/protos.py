"""Generate the stubs beside every .proto file, or check that the stubs in the tree are up to date.

python tools/protos.py           write the stubs
python tools/protos.py --check   compare; prints each stale file, with exit status 1
"""

import argparse
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"


def generate(out: Path) -> list[Path]:
    """Write the stubs of every .proto file below `out`: messages (.py and .pyi) and services (_grpc.py).

    `-I` is the root of the repository, so the stubs import each other as `from protos.numeral.v1 import …`.

    Returns:
        Their paths, relative to `out`.
    """
    sources = sorted(path.relative_to(ROOT).as_posix() for path in PROTOS.rglob("*.proto"))
    well_known = files("grpc_tools") / "_proto"
    outputs = [f"--{kind}={out}" for kind in ("python_out", "pyi_out", "grpc_python_out")]
    status = protoc.main(["protoc", f"-I{ROOT}", f"-I{well_known}", *outputs, *(str(ROOT / s) for s in sources)])
    if status:
        sys.exit(f"protoc failed on {', '.join(sources)}; its message stands above")
    return stubs(out)


def stubs(root: Path) -> list[Path]:
    """The paths of all stubs below a root, relative to it."""
    found = (root / PROTOS.name).rglob("*_pb2*.py*")
    return sorted(path.relative_to(root) for path in found if "__pycache__" not in path.parts)


def stale(fresh: Path, generated: list[Path]) -> list[str]:
    """One sentence for each stub in the tree that is missing, differs, or has no .proto file any more."""
    in_tree = stubs(ROOT)
    found = []
    for path in sorted({*in_tree, *generated}):
        if path not in in_tree:
            found.append(f"{path} is missing")
        elif path not in generated:
            found.append(f"{path} has no .proto file any more")
        elif (ROOT / path).read_bytes() != (fresh / path).read_bytes():
            found.append(f"{path} is not what its .proto file gives")
    return found


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    if not parser.parse_args().check:
        print(*generate(ROOT), sep="\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        findings = stale(Path(folder), generate(Path(folder)))
    if findings:
        sys.exit("\n".join([*findings, "regenerate with: python tools/protos.py"]))


if __name__ == "__main__":
    main()
