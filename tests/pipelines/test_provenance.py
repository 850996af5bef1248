"""The fingerprint: equal where nothing has changed, another one where anything that decides the weights has."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.data import mnist
from core.shipped import ROOT
from pipelines import provenance
from pipelines.recipe import load_recipe

DATA = {file.name: file.sha256 for file in mnist.FILES}

DRAWING = "data.styles={digits=5, others=0}"
DRAWING_FOLDERS = ("core/drawing", "core/imaging")
"""They decide drawn images, and so the weights of a recipe that asks for any."""

DECIDING_FOLDERS = ("core/data", "core/kernels", "core/nn", "core/optim", "core/train")
DECIDING_FILES = ("core/__init__.py", "core/digit.py", "core/registry.py")
WITHOUT_EFFECT = "core/errors.py"
"""A training imports it, and it decides no weight: it only says what went wrong."""


def python_files(*folders: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for folder in folders for path in (ROOT / folder).rglob("*.py"))


DRAWING_FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in DRAWING_FOLDERS
    for path in (ROOT / folder).rglob("*")
    if path.is_file() and path.suffix != ".pyc"
)
DECIDING = sorted([*DECIDING_FILES, *python_files(*DECIDING_FOLDERS)])
OTHERS = sorted({*python_files("core", "pipelines")} - {*DECIDING})


def fingerprint(*overrides: str) -> str:
    return provenance.fingerprint(DATA, load_recipe("mlp", overrides))


# the recipe and the data


@pytest.mark.parametrize(
    ("override", "same"),
    [
        ("data.split_seed=1", False),
        ("data.validation_images=4000", False),
        ("data.styles.digits=5", False),
        ("data.styles.seed=5", True),  # of no image
        ("data.trust.cap=0.1", True),  # only what has passed decides the weights
        ("data.validation.most_drift=1", True),
        ("model.layers.0.units=17", False),
        ("train.batch_size=33", False),
        ("train.epochs=4", False),
        ("train.keep_best=true", False),
        ("train.members=2", False),
        ("train.seed=9", False),
        ("train.shards=2", False),
        ("train.threads=2", False),
        ("description=another", True),
        ("promotion.max_accuracy_drop=0.1", True),
        ("promotion.min_accuracy=0.1", True),
    ],
)
def test_the_fingerprint_follows_what_the_recipe_says_about_the_weights(override: str, same: bool) -> None:
    assert (provenance.fingerprint(DATA, load_recipe("mlp", [override])) == fingerprint()) is same


def test_a_value_that_equals_the_default_gives_the_same_fingerprint_as_none_at_all() -> None:
    assert provenance.fingerprint(DATA, load_recipe("mlp", ["train.shards=1", "train.patience=0"])) == fingerprint()


@pytest.mark.parametrize("other", ["data.styles.digits=6", "data.styles.seed=1"])
def test_the_fingerprint_follows_how_many_images_are_drawn_and_with_which_seed(other: str) -> None:
    assert fingerprint(DRAWING, other) != fingerprint(DRAWING)


@pytest.mark.parametrize("changed", [DATA | {"feedback": "0" * 64}, DATA | {mnist.FILES[0].name: "0" * 64}, {}])
def test_the_fingerprint_follows_the_data(changed: dict[str, str]) -> None:
    assert provenance.fingerprint(changed, load_recipe("mlp")) != fingerprint()


# the code


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources."""
    copy = tmp_path_factory.mktemp("tree")
    for folder in ("core", "pipelines", "recipes"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture
def edited(tree: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file of the copy, for a change that is taken back afterwards."""
    path = tree / request.param
    source = path.read_bytes()
    yield path
    path.write_bytes(source)


def fingerprints(path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch, *overrides: str) -> tuple[str, str]:
    """Before and after one more line in a file of the copy."""
    monkeypatch.setattr(provenance, "ROOT", tree)
    before = fingerprint(*overrides)
    path.write_bytes(path.read_bytes() + b"CHANGED = True\n")
    return before, fingerprint(*overrides)


@pytest.mark.parametrize("edited", DECIDING, indirect=True)
def test_a_line_in_a_file_that_decides_the_weights_changes_the_fingerprint(
    edited: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = fingerprints(edited, tree, monkeypatch)
    assert after != before


@pytest.mark.parametrize("edited", OTHERS, indirect=True)
def test_a_line_in_any_other_file_leaves_the_fingerprint_as_it_is(
    edited: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = fingerprints(edited, tree, monkeypatch)
    assert after == before


@pytest.mark.parametrize("edited", DRAWING_FILES, indirect=True)
def test_a_line_in_a_file_that_decides_drawn_images_counts_where_a_recipe_has_any(
    edited: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = fingerprints(edited, tree, monkeypatch, DRAWING)
    assert after != before


@pytest.mark.parametrize("name", ["strokes.txt", ".swap", "__pycache__/pen.cpython-311.pyc"])
def test_a_folders_data_counts_as_its_code_does_and_neither_hidden_files_nor_bytecode(
    name: str, tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy)
    monkeypatch.setattr(provenance, "ROOT", copy)
    before, path = fingerprint(DRAWING), copy / "core" / "drawing" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"anything")
    assert (fingerprint(DRAWING) != before) is (name == "strokes.txt")


@pytest.mark.parametrize("change", ["add", "remove", "rename"])
def test_a_file_that_comes_goes_or_gets_another_name_changes_the_fingerprint(
    change: str, tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy)
    monkeypatch.setattr(provenance, "ROOT", copy)
    before, dense = fingerprint(), copy / "core" / "nn" / "dense.py"
    if change == "add":
        (copy / "core" / "nn" / "sparse.py").touch()
    elif change == "remove":
        dense.unlink()
    else:
        dense.rename(dense.with_name("linear.py"))
    assert fingerprint() != before


def test_a_process_that_runs_from_an_edited_copy_computes_another_fingerprint(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy)

    def computed() -> str:
        program = "from tests_fingerprint import *; print(fingerprint(DATA, load_recipe('mlp')))"
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=copy, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.strip()

    (copy / "tests_fingerprint.py").write_text(
        f"from pipelines.recipe import load_recipe\nfrom pipelines.provenance import fingerprint\nDATA = {DATA!r}\n"
    )
    assert computed() == fingerprint()
    blas = copy / "core" / "kernels" / "blas.py"
    blas.write_text(blas.read_text("utf-8").replace("SkylakeX", "Zen"), "utf-8")
    assert computed() != fingerprint()


# that no file was forgotten


def imported(path: str) -> set[str]:
    """The files of core/ that a file imports, wherever in it, with the packages that they are in."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{path}: a relative import"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    found: set[str] = set()
    for name in names:
        parts = name.split(".")
        if parts[0] == "core":
            for length in range(1, len(parts) + 1):
                place = "/".join(parts[:length])
                found |= {file for file in (f"{place}.py", f"{place}/__init__.py") if (ROOT / file).is_file()}
    return found


def reached(start: set[str]) -> set[str]:
    """These files, and all that they import directly or indirectly."""
    known: set[str] = set()
    while start:
        known |= start
        start = {file for path in start for file in imported(path)} - known
    return known


def test_all_that_a_training_imports_of_core_is_covered() -> None:
    assert reached(set(python_files("core/train"))) - {*DECIDING} == {WITHOUT_EFFECT}


def test_the_step_that_trains_imports_only_what_is_covered_what_stores_and_the_errors() -> None:
    stores = {"core/artifact/__init__.py", "core/artifact/manifest.py", "core/artifact/weights.py"}
    assert imported("pipelines/retrain/training.py") - {*DECIDING} == {WITHOUT_EFFECT, *stores}


def test_all_that_drawing_imports_of_core_is_covered() -> None:
    drawing = python_files(*DRAWING_FOLDERS)
    assert reached(set(drawing)) - {*DECIDING, *drawing} == {WITHOUT_EFFECT}
