"""Draw how the code is divided, from its real imports: the packages, what passes between them, and two of them inside.

Usage: python tools/draw_rooms.py [FOLDER]       (by default docs/images/architecture)

An arrow leads from a folder to one that it imports. One that follows from others is left out: a → c, where a → b → c.
"""
# ruff: noqa: E402 — Numeral's own packages can be imported once its folder is on the path

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import grimp
from guide_canvas import BLUE, INK, ORANGE, QUIET, arrow, box, canvas, svg, use_style, write
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Imports = dict[str, frozenset[str]]
Spot = tuple[float, float]

PACKAGES = ("benchmarks", "core", "exercises", "pipelines", "protos", "service")

ROOMS = {
    "core": {
        "artifact": (1.24, "versions, aliases"),
        "data": (2, "IDX → batches"),
        "drawing": (0.1, "drawn digits"),
        "imaging": (0, "picture → 28×28"),
        "inference": (1, "pixels → probabilities"),
        "kernels": (2.5, "fast NumPy"),
        "measure": (1, "accuracy, calibration"),
        "nn": (3, "layers, losses"),
        "optim": (3.9, "optimizers"),
        "train": (4, "the training loop"),
    },
    "service": {
        "api": (2.6, "both protocols"),
        "cli": (2.1, "commands"),
        "client": (0.5, "Python clients"),
        "recognition": (2.1, "queue, batches"),
        "server": (2.6, "processes, TLS"),
        "telemetry": (3.1, "metrics, logs"),
        "trial": (0, "a version tried"),
        "versions": (3.1, "hot loading"),
        "web": (1, "the page, REST"),
    },
}
"""Each folder's place across, chosen so that no arrow crosses a box, and what it is about. Its height follows from its
imports. A folder that is missing here ends the drawing with its name.
"""

SIZE = (1.5, 0.56)
APART = (1.85, 1.15)


def imports_between(rooms: Mapping[str, str]) -> Imports:
    """Which rooms each one imports directly, or through single modules beside them.

    Args:
        rooms: The names to draw, by the package that each is.
    """
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    inside = {package: {package, *graph.find_descendants(package)} for package in rooms}
    owner = {module: package for package, modules in inside.items() for module in modules}
    found: Imports = {}
    for package, name in rooms.items():
        waiting, seen, others = list(inside[package]), set(inside[package]), set()
        while waiting:
            for imported in graph.find_modules_directly_imported_by(waiting.pop()) - seen:
                seen.add(imported)
                if imported in owner:
                    others.add(rooms[owner[imported]])
                else:  # a module beside the rooms, such as core.predictor: what it imports counts for who imports it
                    waiting.append(imported)
        found[name] = frozenset(others - {name})
    return found


def within(package: str) -> Imports:
    """The imports between the folders of a package."""
    graph = grimp.build_graph(package, cache_dir=None)
    folders = sorted(child for child in graph.find_children(package) if graph.find_children(child))
    return imports_between({folder: folder.rpartition(".")[2] for folder in folders})


def reachable(imports: Imports, start: str) -> frozenset[str]:
    """What a room imports in any number of steps."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = imports[waiting.pop()] - found
        found |= new
        waiting += new
    return frozenset(found)


def floors(imports: Imports) -> dict[str, int]:
    """How high each room stands: one floor above the highest that it imports, of those that do not import it, too."""
    all_of = {name: reachable(imports, name) for name in imports}

    def floor(name: str) -> int:
        together = {name} | {other for other in all_of[name] if name in all_of[other]}
        below = {other for room in together for other in imports[room]} - together
        return 1 + max(map(floor, below), default=-1)

    return {name: floor(name) for name in imports}


def arrows(imports: Imports) -> list[tuple[str, str]]:
    """The imports that do not follow from others."""
    all_of = {name: reachable(imports, name) for name in imports}
    return sorted(
        (name, other)
        for name in imports
        for other in imports[name]
        if not any(
            other in all_of[between] and name not in all_of[between] and between not in all_of[other]
            for between in imports[name] - {other}
        )
    )


def draw_inside(package: str) -> tuple[Figure, Imports]:
    """The folders of a package, each above those that it imports."""
    imports = within(package)
    heights = floors(imports)
    rooms = {name: ROOMS[package][name] for name in imports}
    width = APART[0] * max(across for across, _ in rooms.values()) + SIZE[0] + 0.6
    figure, axes = canvas(width, APART[1] * (max(heights.values()) + 1) - 0.2)
    spots = {
        name: (SIZE[0] / 2 + 0.3 + APART[0] * across, 0.5 + APART[1] * heights[name])
        for name, (across, _) in rooms.items()
    }
    for name, other in arrows(imports):
        _lead(axes, spots[name], spots[other])
    for name, (_, subject) in rooms.items():
        _room(axes, spots[name], name, subject)
    return figure, imports


def draw_packages() -> tuple[Figure, Imports]:
    """The packages, and beside their imports what passes between them while they run."""
    imports = imports_between({package: package for package in PACKAGES})
    spots = {
        "benchmarks": (4.4, 4.6),
        "pipelines": (2.1, 3.1),
        "service": (6.7, 3.1),
        "exercises": (0.95, 1.0),
        "core": (4.4, 1.0),
        "protos": (7.85, 1.0),
    }
    subjects = {
        "benchmarks": "against others",
        "pipelines": "train and publish",
        "service": "serve",
        "exercises": "gaps to fill",
        "core": "network, artifact",
        "protos": "gRPC stubs",
    }
    figure, axes = canvas(8.8, 5.1)
    for name, other in arrows(imports):
        _lead(axes, spots[name], spots[other])
    for name, spot in spots.items():
        _room(axes, spot, f"{name}/", subjects[name])
    box(axes, (4.4, 3.45), (1.3, 0.45), "repository", ORANGE)
    box(axes, (4.4, 2.6), (1.3, 0.45), "feedback", ORANGE)
    arrow(axes, (2.85, 3.25), (3.73, 3.42), ORANGE)
    arrow(axes, (5.07, 3.42), (5.95, 3.25), ORANGE)
    arrow(axes, (5.95, 2.9), (5.07, 2.65), ORANGE)
    arrow(axes, (3.73, 2.65), (2.85, 2.9), ORANGE)
    write(axes, (4.4, 0.35), "blue: imports; orange: what passes between programs that run", QUIET, 9)
    return figure, imports


def _room(axes: Axes, at: Spot, name: str, subject: str) -> None:
    box(axes, at, SIZE, "")
    write(axes, (at[0], at[1] + 0.11), name, INK, 10)
    write(axes, (at[0], at[1] - 0.12), subject, QUIET, 7.5)


def _lead(axes: Axes, start: Spot, end: Spot) -> None:
    """An arrow between the edges of two boxes."""
    (x0, y0), (x1, y1) = start, end
    if y0 == y1:
        side = SIZE[0] / 2 if x1 > x0 else -SIZE[0] / 2
        arrow(axes, (x0 + side, y0), (x1 - side, y1), BLUE)
    else:
        arrow(axes, (x0, y0 - SIZE[1] / 2), (x1, y1 + SIZE[1] / 2), BLUE)


def described(figure: Figure, imports: Imports) -> bytes:
    """The file, which says in words which imports were drawn, for those who cannot see it and for a test."""
    words = "; ".join(
        f"{name} imports {', '.join(sorted(others))}" for name, others in sorted(imports.items()) if others
    )
    before, tag, after = svg(figure).decode().partition("<metadata>")
    return f"{before}<desc>{words}</desc>\n {tag}{after}".encode()


DRAWINGS = {
    "packages.svg": draw_packages,
    "core.svg": lambda: draw_inside("core"),
    "service.svg": lambda: draw_inside("service"),
}


def main(folder: Path) -> None:
    """Write all drawings into a folder."""
    use_style()
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in DRAWINGS.items():
        (folder / name).write_bytes(described(*draw()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw how the code is divided, from its real imports.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs/images/architecture")
    main(parser.parse_args().folder)
