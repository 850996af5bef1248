"""tools/bill_of_materials.py, on a virtual environment with packages of every kind."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.deploy.kustomized import KUBERNETES

TOOL = KUBERNETES.parents[1] / "tools/bill_of_materials.py"
DOCUMENTS = Path("share/doc/numeral")


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment without any package."""
    venv.create(tmp_path / "environment", symlinks=True)
    return tmp_path / "environment"


def install(environment: Path, name: str, *metadata: str) -> None:
    """Leave what an installer leaves of a package of version 1.0."""
    [packages] = environment.glob("lib/python3*/site-packages")
    folder = packages / f"{name}-1.0.dist-info"
    folder.mkdir()
    lines = ["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *metadata]
    (folder / "METADATA").write_text("\n".join(lines) + "\n", "utf-8")


def write(environment: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, TOOL, "numeral-service", environment]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_package_is_listed_with_its_version_and_its_license(environment: Path) -> None:
    install(environment, "first", "License-Expression: Apache-2.0 OR MIT")
    install(environment, "second", "Classifier: License :: OSI Approved :: BSD License")
    install(environment, "third", "License: MIT", "Classifier: License :: OSI Approved :: MIT License")
    install(environment, "protobuf")
    assert write(environment).returncode == 0
    table = (environment / DOCUMENTS / "licenses.txt").read_text("utf-8")
    assert [line.split(maxsplit=2) for line in table.splitlines()] == [
        ["first", "1.0", "Apache-2.0 OR MIT"],
        ["protobuf", "1.0", "BSD-3-Clause"],
        ["second", "1.0", "BSD License"],
        ["third", "1.0", "MIT"],
    ]
    document = json.loads((environment / DOCUMENTS / "sbom.cdx.json").read_text("utf-8"))
    assert document["metadata"]["component"]["name"] == "numeral-service"
    listed = {component["name"]: component for component in document["components"]}
    assert listed.keys() == {"first", "second", "third", "protobuf"}
    assert all(component["version"] == "1.0" and component["licenses"] for component in listed.values())
    assert listed["first"]["purl"] == "pkg:pypi/first@1.0"


def test_the_document_is_valid_cyclonedx_and_the_same_each_time(environment: Path) -> None:
    install(environment, "first", "License-Expression: MIT")
    file = environment / DOCUMENTS / "sbom.cdx.json"
    contents = [file.read_bytes() for _ in range(2) if write(environment).returncode == 0]
    assert len(contents) == 2
    assert contents[0] == contents[1]
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(contents[0].decode()) is None


def test_a_package_without_a_license_is_an_error_that_names_it(environment: Path) -> None:
    install(environment, "first", "License-Expression: MIT")
    install(environment, "nobody-knows")
    ended = write(environment)
    assert ended.returncode == 1
    assert "no license in the metadata of nobody-knows 1.0; read the file LICENSE that comes with it" in ended.stderr
    assert not (environment / DOCUMENTS).exists()
