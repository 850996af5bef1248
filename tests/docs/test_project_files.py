"""The files that a code host reads: they parse, and name commands and files that exist."""

import re
import tomllib

import pytest
import yaml

from tests.docs.pages import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FILES = [*sorted((ROOT / ".github").rglob("*.yml")), ROOT / ".pre-commit-config.yaml"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def steps(file):
    return [step for job in yaml.safe_load(file.read_text())["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_for_the_code_host_parses(file):
    assert yaml.safe_load(file.read_text())


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_call_make_targets_and_scripts_that_exist(file):
    commands = [line for step in steps(file) if "run" in step for line in step["run"].splitlines()]
    made = {word for line in commands for word in re.findall(r"\bmake ([a-z-]+)", line)}
    assert made <= TARGETS
    assert all((ROOT / line.split()[0]).exists() for line in commands if line.startswith(("./", ".ci/", "tools/")))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_may_write_nothing_that_they_need_not(file):
    assert yaml.safe_load(file.read_text())["permissions"] == {"contents": "read"}


def test_the_pythons_of_ci_begin_with_the_oldest_that_is_supported():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    assert project["requires-python"] == f">={jobs['test']['strategy']['matrix']['python'][0]}"


def test_hooks_run_before_a_commit_are_the_steps_of_make_check():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    tools = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks}
    check = (ROOT / "Makefile").read_text().split("\ncheck:")[1].split("\n\n")[0]
    assert tools == set(re.findall(r"\$\(BIN\)/([a-z-]+)", check))
