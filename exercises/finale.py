"""The finale: the learner's layer in the real pipeline and the real service.

A layer is code, and what decides the weights has to be in core/, where the fingerprint of a version hashes it; and a
service that loads a version needs its layers as well. So there is no option that loads a layer from elsewhere: the file
goes into core/nn/, and its name into `LAYERS`, as CONTRIBUTING.md says. Here this is done in a temporary copy of the
project, in which the ordinary commands then train, publish and predict.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from exercises import learners_file
from exercises.catalog import ROOT
from exercises.checks.own_layer import NAME
from exercises.verdict import WrongError

__all__ = ["served"]

COPIED = ("core", "pipelines", "service", "protos", "recipes")
LINKED = ("data/mnist", "examples")
PICTURE, DIGIT = "examples/seven.png", 7
SECONDS = 240
"""How long each command may take; on an idle machine all of them take about 15 s."""


def served(file: Path) -> str:
    """Train a network with the learner's layer for one epoch, publish it, and have the service read a picture with it.

    Raises:
        WrongError: One of these has failed, or the answer is wrong.
    """
    kind = learners_file.load(file)[NAME].kind
    with tempfile.TemporaryDirectory(prefix="numeral-own-layer-") as folder:
        copy = Path(folder)
        _copy_project(copy)
        _register(copy, file)
        layers = f'[{{kind="dense", units=64}}, {{kind="{kind}"}}, {{kind="dense", units=10}}]'
        settings = ["--set", "train.epochs=1", "--set", f"model.layers={layers}"]
        places = ["--repository", "versions", "--data-dir", "work", "--mirror", (copy / "data/mnist").as_uri()]
        how = ["--engine", "plain", "--infra-gate", "off", "--promote", "always"]
        trained = _run(copy, "pipelines", "retrain", "--recipe", "mlp", *settings, *places, *how)
        [reading] = _run(copy, "service", "predict", PICTURE, "--repository", "versions", "--pretrained", "off")
    accuracy, version = trained["metrics"]["test_accuracy"], trained["version"]
    if reading["digit"] != DIGIT:
        raise WrongError(
            f"Your layer was trained, published and served; but {PICTURE} was read as {reading['digit']}, expected "
            f"{DIGIT}. "
            f"After one epoch its test accuracy is {accuracy:.1%}: does f let signals pass, with slopes near 1?"
        )
    return (
        f"Your layer {kind!r} was trained for an epoch (test accuracy {accuracy:.1%}) and published as version "
        f"{version}; "
        f"the service has loaded it, and reads {PICTURE} as {reading['digit']} ({reading['confidence']:.1%}). "
        "This was in a temporary copy. To keep the layer, put the file into core/nn/ and name its class in LAYERS: "
        "CONTRIBUTING.md, “Adding something”."
    )


def _copy_project(copy: Path) -> None:
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in LINKED:
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).symlink_to(ROOT / name)


def _register(copy: Path, file: Path) -> None:
    """The two places of a new layer."""
    shutil.copyfile(file, copy / "core/nn/own_layer.py")
    with (copy / "core/nn/architectures.py").open("a", encoding="utf-8") as architectures:
        architectures.write(f"\nfrom core.nn.own_layer import {NAME}\n\nLAYERS[{NAME}.kind] = {NAME}\n")


def _run(copy: Path, package: str, *arguments: str) -> Any:
    """What a command prints as JSON.

    Raises:
        WrongError: It failed.
    """
    # Settings of this machine are not those of a trial; and the copy's packages come first, not installed ones.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMERAL_")}
    environment |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", package, *arguments, "--json"]
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise WrongError(f"`python -m {package} {arguments[0]}` was still not ready after {SECONDS} seconds.") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        if "ModuleNotFoundError" in said[-1]:
            raise WrongError(f"The pipeline and the service are not installed: {said[-1]}. `make setup` installs them.")
        lines = re.findall(r'own_layer\.py", line (\d+)', done.stderr)
        where = f", in line {lines[-1]} of your file" if lines else ""
        raise WrongError(f"`python -m {package} {arguments[0]}` failed with your layer{where}: {said[-1]}")
    return json.loads(done.stdout)
