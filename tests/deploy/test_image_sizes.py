"""tools/image_sizes.py: what it takes for a fault of an image; and the Dockerfile that its images are built from."""

import importlib.util
import re
from copy import deepcopy
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.deploy.cluster import DOCKERFILE
from tests.deploy.kustomized import KUBERNETES

ROOT = KUBERNETES.parents[1]

SOUND: dict[str, Any] = {
    "installed": {"first": ["1.0", 3_000_000], "second": ["2.1", 1_000_000]},
    "listed": {
        "components": [
            {"name": "first", "version": "1.0", "licenses": [{"license": {"id": "MIT"}}]},
            {"name": "second", "version": "2.1", "licenses": [{"expression": "MIT OR Apache-2.0"}]},
        ]
    },
    "table": "first   1.0  MIT\nsecond  2.1  MIT OR Apache-2.0\n",
    "tools": [],
    "user": 10001,
    "written": [],
    "uncompiled": [],
    "code": 2_000_000,
}


@pytest.fixture(scope="module")
def image_sizes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("image_sizes", ROOT / "tools/image_sizes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def faults(image_sizes: ModuleType, **changes: Any) -> dict[str, Any]:
    return {sentence: trouble for sentence, trouble in image_sizes.checks(deepcopy(SOUND) | changes) if trouble}


def test_a_sound_image_has_no_fault(image_sizes: ModuleType) -> None:
    assert faults(image_sizes) == {}


def test_a_package_that_no_list_names_is_a_fault_of_both_lists(image_sizes: ModuleType) -> None:
    found = faults(image_sizes, installed=SOUND["installed"] | {"third": ["1.0", 1]})
    assert list(found.values()) == [{("third", "1.0")}] * 2


def test_another_version_than_the_listed_one_is_a_fault(image_sizes: ModuleType) -> None:
    found = faults(image_sizes, installed=SOUND["installed"] | {"first": ["1.1", 1]})
    assert list(found.values()) == [{("first", "1.0"), ("first", "1.1")}] * 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"listed": {"components": [*SOUND["listed"]["components"][:1], {"name": "second", "version": "2.1"}]}},
            "license",
        ),
        ({"tools": ["gcc"]}, "compiles"),
        ({"user": 0}, "root"),
        ({"written": ["/app"]}, "cannot write"),
        ({"uncompiled": ["/usr/local/lib/python3.11/os.py"]}, "standard library"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_each_other_fault_is_told_by_itself(image_sizes: ModuleType, changes: dict[str, Any], sentence: str) -> None:
    [found] = faults(image_sizes, **changes)
    assert sentence in found


def test_the_parts_of_an_image_add_up_to_its_size(image_sizes: ModuleType) -> None:
    parts = list(image_sizes.parts(100, SOUND))
    assert sum(int(part.split()[-1]) for part in parts) == 100
    assert parts[:2] == ["first 3", "second 1"]


def test_every_image_has_a_largest_size_that_the_page_does_not_exceed(image_sizes: ModuleType) -> None:
    page = (ROOT / "docs/kubernetes.md").read_text("utf-8")
    told = {side: int(size) for side, size in re.findall(r"^\| `numeral-(\w+)` \| (\d+) MB \|", page, re.MULTILINE)}
    assert (
        told.keys()
        == image_sizes.LARGEST.keys()
        == set(re.findall(r"^FROM runtime AS (\w+)", DOCKERFILE.read_text(), re.MULTILINE))
    )
    assert all(size <= image_sizes.LARGEST[side] <= 1.05 * size for side, size in told.items())


def test_the_libraries_in_the_images_leave_nothing_that_depends_on_the_time_of_the_build() -> None:
    text = DOCKERFILE.read_text("utf-8")
    assert text.count("install --no-compile") == len(re.findall(r"/venv/bin/python install", text)) == 3
    compiled = re.findall(r"-m compileall (.*?)(?: \.| /|$)", text)
    assert len(compiled) == 5
    assert all("--invalidation-mode unchecked-hash" in options for options in compiled)


def test_what_a_pod_runs_as_is_the_user_of_the_images() -> None:
    [user] = set(re.findall(r"^USER (\d+):\1$", DOCKERFILE.read_text("utf-8"), re.MULTILINE))
    for file in KUBERNETES.rglob("*.yaml"):
        for manifest in yaml.safe_load_all(file.read_text("utf-8")):
            if isinstance(manifest, dict) and manifest.get("kind") == "Deployment":
                assert manifest["spec"]["template"]["spec"]["securityContext"]["runAsUser"] == int(user)
