"""`python tools/docs/build.py [OUT]`: build all pages of the documentation, and those of the API, with Sphinx.

What Sphinx reads is a folder with copies of the pages, as they lie to each other, with an index and a page for each
package of the API. A new page in docs/ is found by itself. A warning, such as a link that leads nowhere, is an error.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from sphinx.cmd.build import main as sphinx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BESIDE = ("core/drawing/fonts/README.md", "data/mnist/README.md", "pretrained/README.md")
"""Pages that lie beside what they are about."""
PACKAGES = ("core",)
LEFT_OUT = ("core.artifact.fields",)
"""Types for the fields of documents, which are told by their bounds alone."""
WHOLE = ("service.client",)
"""Packages whose `__init__` names all that others may use."""


def stage(folder: Path) -> None:
    """Make the folder that Sphinx reads, anew."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "api").mkdir(parents=True)
    shutil.copytree(ROOT / "docs", folder / "docs")
    for page in [*(path.relative_to(ROOT) for path in ROOT.glob("*.md")), *map(Path, BESIDE)]:
        (folder / page.parent).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / page, folder / page)
    shutil.copyfile(HERE / "index.md", folder / "index.md")
    for name, text in _api():
        (folder / "api" / f"{name}.rst").write_text(text, "utf-8")


def _api() -> Iterator[tuple[str, str]]:
    """A page for each package, with all of its modules; and one for the modules outside of them."""
    for package in PACKAGES:
        folders = sorted(path.parent for path in (ROOT / package).rglob("__init__.py"))
        for folder in folders:
            name = ".".join(folder.relative_to(ROOT).parts)
            modules = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("__"))
            shown = [f"{name}.{module}" for module in modules]
            yield name, _page(name, [module for module in shown if module not in LEFT_OUT])
    for name in WHOLE:
        yield name, _page(name, [], ":members:")


def _page(package: str, modules: list[str], options: str = "") -> str:
    parts = [f"{package}\n{'=' * len(package)}\n\n.. automodule:: {package}\n   {options}\n"]
    for module in modules:
        name = module.rpartition(".")[2]
        parts.append(f"{name}\n{'-' * len(name)}\n\n.. automodule:: {module}\n   :members:\n")
    return "\n".join(parts)


def main() -> int:
    """Build; the exit status."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build/docs"
    source = out.with_name(f"{out.name}-source")
    stage(source)
    cache = out.with_name(f"{out.name}-cache")
    options = ["-q", "-E", "-b", "html", "-W", "--keep-going", "-c", str(HERE), "-d", str(cache)]
    status = sphinx([*options, str(source), str(out)])
    if not status:
        print(f"the pages are in {out}: open {out / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
