"""The alerts: each has a section in the runbook that says what to do, and cases that promtool tries."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.sides import free_port, numeral
from core.artifact.repository import Repository
from tests.docs.pages import ROOT, anchors
from tests.patience import eventually
from tests.service.tiny_model import publish

FOLDER = ROOT / "deploy/prometheus"
RULES = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"] for rule in group["rules"]
]
NAMES = [rule["alert"] for rule in RULES]
RUNBOOK = ROOT / "docs/alerts.md"
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", RUNBOOK.read_text("utf-8"), re.MULTILINE | re.DOTALL))

PROMTOOL = shutil.which("promtool", path=os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)]))
with_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed; Debian: apt-get install prometheus"
)


def run(*arguments: str, folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    command = [str(PROMTOOL), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)


def try_cases(folder: Path) -> subprocess.CompletedProcess[str]:
    return run("test", "rules", *sorted(file.name for file in folder.glob("*.test.yml")), folder=folder)


def failed(done: subprocess.CompletedProcess[str]) -> set[str]:
    return set(re.findall(r'alertname=\\?"(\w+)', done.stdout + done.stderr))


# the runbook


def test_each_alert_has_a_section_in_the_runbook_and_each_section_an_alert():
    assert list(SECTIONS) == NAMES
    assert max(Counter(NAMES).values()) == 1


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_an_alert_names_its_section_and_how_urgent_it_is(rule):
    page, _, section = rule["annotations"]["runbook"].partition("#")
    assert ROOT / page == RUNBOOK
    assert section == rule["alert"].lower()
    assert section in anchors(RUNBOOK)
    assert rule["labels"]["severity"] in {"page", "ticket"}


@pytest.mark.parametrize("name", NAMES)
def test_a_section_says_what_users_notice_what_to_look_at_and_what_to_do(name):
    meaning, *points = re.split(r"^- (?=\*\*)", SECTIONS[name].strip(), flags=re.MULTILINE)
    assert meaning.strip()
    assert [point.partition(":")[0] for point in points] == ["**Users**", "**Look**", "**Do**"]
    assert "`" in points[1], "what to look at is a command or an expression"


# the rules


@with_promtool
def test_promtool_can_read_the_configuration_and_the_rules_that_it_names():
    done = run("check", "config", "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@with_promtool
def test_each_alert_fires_when_it_should_and_only_then():
    done = try_cases(FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr


@with_promtool
@pytest.mark.parametrize("instead", ["vector(0) > 1", "vector(1)"], ids=["never fires", "always fires"])
def test_the_cases_notice_any_alert_that(instead, tmp_path):
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    rules = [{key: value for key, value in rule.items() if key != "for"} | {"expr": instead} for rule in RULES]
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}), "utf-8")
    done = try_cases(tmp_path)
    assert done.returncode == 1
    assert set(NAMES) - failed(done) == set()


@with_promtool
def test_a_healthy_service_of_several_workers_raises_no_alert(tmp_path):
    repository, port = Repository(str(tmp_path / "models"), writable=True), free_port()
    publish(repository, seed=1)
    with numeral(repository, "--workers", "2", "--metrics-port", str(port)):
        eventually(lambda: "numeral_model_loaded{" in metrics(port))
        text, now = metrics(port), time.time()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    lines = ["- {series: 'up{job=\"numeral\"}', values: 1x120}"]
    for sample in samples:
        named = {"job": "numeral"} | sample.labels  # as Prometheus adds it
        labels = ",".join(f'{name}="{value}"' for name, value in named.items())
        # promtool begins at the time 0; the service goes on looking at the repository.
        values = f"{sample.value - now:.0f}+60x120" if "_last_look_" in sample.name else f"{sample.value}x120"
        lines.append(f"- {{series: '{sample.name}{{{labels}}}', values: {values}}}")
    series = "\n".join(f"      {line}" for line in lines)
    expected = "- {eval_time: 100m, expr: 'ALERTS{alertstate=\"firing\"}', exp_samples: []}"
    shutil.copy(FOLDER / "alerts.yml", tmp_path)
    (tmp_path / "healthy.test.yml").write_text(
        f"rule_files: [alerts.yml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n{series}\n"
        f"    promql_expr_test:\n      {expected}\n",
        "utf-8",
    )
    done = try_cases(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def metrics(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as response:
        return response.read().decode()
