"""The distributions: a wheel that is built from the sdist works in an empty folder, away from the checkout."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from core.shipped import ROOT

FOLDERS = ("core", "data", "pipelines", "pretrained", "protos", "recipes", "service")
FILES = ("CHANGELOG.md", "LICENSE", "MANIFEST.in", "README.md", "constraints.txt", "pyproject.toml", "setup.py")


def python(*arguments, **options):
    done = subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that a wheel is installed in: sources → sdist → wheel → folder."""
    place = tmp_path_factory.mktemp("wheel")
    sources = place / "sources"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__", "cache"))
    for file in (
        "CHANGELOG.md",
        "LICENSE",
        "MANIFEST.in",
        "README.md",
        "constraints.txt",
        "pyproject.toml",
        "setup.py",
    ):
        shutil.copy(ROOT / file, sources)
    python("-c", f"from setuptools import build_meta; build_meta.build_sdist({str(place)!r})", cwd=sources)
    (archive,) = place.glob("numeral-*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(place, filter="data")
    unpacked = Path(str(archive).removesuffix(".tar.gz"))
    python("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", place, unpacked)
    (wheel,) = place.glob("*.whl")
    python("-m", "pip", "install", "--quiet", "--no-deps", "--target", place / "site", wheel)
    return place / "site"


@pytest.fixture
def away(installed, tmp_path):
    """How a command runs in an empty folder with the code of the wheel alone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUMERAL_")}
    return {"cwd": tmp_path, "env": kept | {"PYTHONPATH": str(installed)}}


def test_the_code_and_all_that_ships_with_it_come_from_the_wheel(installed, away):
    script = "from core import shipped; print(shipped.ROOT, shipped.INSIDE.is_dir(), shipped.shipped_repository())"
    assert python("-c", script, **away).split() == [str(installed), "True", f"{installed}/core/files/pretrained"]


def test_the_schema_of_the_manifest_ships_with_the_wheel(installed):
    (schema,) = installed.glob("core/artifact/*.schema.json")
    assert json.loads(schema.read_bytes())["$id"] == "urn:numeral:manifest:1"


def test_a_picture_is_read_by_the_version_that_ships(away):
    answer = json.loads(python("-m", "service", "predict", ROOT / "examples/seven.png", "--json", **away))
    assert (answer[0]["digit"], answer[0]["model_version"]) == (7, "pretrained")


def test_a_recipe_that_ships_is_trained_on_the_mnist_that_ships_and_published(installed, away):
    small = ["--set", "train.epochs=1", "--set", "train.batch_size=512", "--engine", "plain", "--promote", "gate"]
    mirror = f"file://{installed}/core/files/data/mnist"
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "retrain", "--recipe", "mlp", *small, "--mirror", mirror, "--json"],
        capture_output=True,
        text=True,
        **away,
    )
    assert json.loads(done.stdout)["version"] == 1, done.stderr
    assert (away["cwd"] / "models/mnist/1/report.html").is_file()


def test_an_environment_in_another_projects_repository_does_not_name_its_commit(installed, away):
    git = ["git", "-C", str(installed.parent), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "theirs"], check=True)
    script = "from pipelines import provenance, recipe; print(provenance.code(recipe.load_recipe('mlp')).commit)"
    assert python("-c", script, **away) == "None\n"


@pytest.mark.parametrize("command", ["numeral", "numeral-pipelines", "numeral-service"])
def test_every_command_tells_its_version(command, installed, away):
    assert python(installed / "bin" / command, "--version", **away) == "numeral 0.1.0\n"


def test_the_command_numeral_calls_both_sides_and_names_what_it_knows(installed, away):
    assert "retrain" in python(installed / "bin/numeral", "pipelines", "--help", **away)
    assert "serve" in python(installed / "bin/numeral", "service", "--help", **away)
    wrong = subprocess.run(
        [sys.executable, installed / "bin/numeral", "trian"], capture_output=True, text=True, check=False, **away
    )
    assert wrong.returncode == 2
    assert wrong.stderr == "error: no side 'trian'; expected pipelines or service: numeral --help\n"
