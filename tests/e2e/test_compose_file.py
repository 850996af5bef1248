"""What can be checked of the deployment without an engine; `make compose-test` runs the rest."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.engine import environment
from pipelines.settings import Settings
from service.web.web_settings import WebSettings

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("prefect-server", "scheduler", "service", "web")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def stages() -> dict[str, str]:
    """The Dockerfile's stages, each with the lines of those that it is made from, without comments."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    text = text.replace("\\\n", " ")
    found: dict[str, str] = {}
    for source, name, body in re.findall(r"^FROM (\S+) AS (\S+)\n(.*?)(?=^FROM |\Z)", text, re.MULTILINE | re.DOTALL):
        found[name] = found.get(source, f"FROM {source}\n") + body
    return found


def test_the_project_has_these_services_and_no_others(project: dict[str, Any]) -> None:
    assert tuple(project["services"]) == SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_runs_without_privileges_on_a_read_only_file_system(project: dict[str, Any], name: str) -> None:
    service = project["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"privileged", "cap_add", "user", "pid", "ipc", "network_mode", "devices"} & set(service) == set()


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_limits_and_restarts_by_itself(project: dict[str, Any], name: str) -> None:
    service = project["services"][name]
    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["init"] is True
    assert service["stop_grace_period"]


def test_ports_are_published_on_this_machine_only(project: dict[str, Any]) -> None:
    ports = {name: service.get("ports", []) for name, service in project["services"].items()}
    assert [len(ports[name]) for name in SERVICES] == [1, 0, 1, 1]
    assert all(port.startswith("127.0.0.1:") for published in ports.values() for port in published)


def test_only_the_scheduler_can_write_versions(project: dict[str, Any]) -> None:
    mounts = {
        name: [m for m in project["services"][name].get("volumes", ()) if m.startswith("models:")] for name in SERVICES
    }
    assert mounts == {
        "prefect-server": [],
        "scheduler": ["models:/models"],
        "service": ["models:/models:ro"],
        "web": [],
    }


def test_only_the_service_can_write_feedback_and_the_scheduler_reads_it(project: dict[str, Any]) -> None:
    mounts = {
        name: [m for m in project["services"][name].get("volumes", ()) if m.startswith("feedback:")]
        for name in SERVICES
    }
    assert mounts == {
        "prefect-server": [],
        "scheduler": ["feedback:/feedback:ro"],
        "service": ["feedback:/feedback"],
        "web": [],
    }
    folders = {project["services"][name]["environment"]["NUMERAL_FEEDBACK"] for name in ("scheduler", "service")}
    assert folders == {"/feedback"}


def test_every_volume_is_named(project: dict[str, Any]) -> None:
    mounted = {mount.partition(":")[0] for name in SERVICES for mount in project["services"][name].get("volumes", ())}
    assert mounted == set(project["volumes"])


def test_the_service_shares_no_network_with_the_pipelines(project: dict[str, Any]) -> None:
    networks = {name: set(project["services"][name]["networks"]) for name in SERVICES}
    assert networks["prefect-server"] & networks["scheduler"]
    assert not networks["service"] & (networks["prefect-server"] | networks["scheduler"])
    assert networks["web"] == networks["service"]


def test_the_scheduler_waits_for_its_server_and_nothing_for_a_healthy_service(project: dict[str, Any]) -> None:
    waits = {name: project["services"][name].get("depends_on", {}) for name in SERVICES}
    assert waits == {
        "prefect-server": {},
        "scheduler": {"prefect-server": {"condition": "service_healthy"}},
        "service": {},
        "web": {"service": {"condition": "service_started"}},
    }


def test_the_page_answers_to_names_of_this_machine_and_finds_the_service(project: dict[str, Any]) -> None:
    environment = project["services"]["web"]["environment"]
    assert environment["NUMERAL_WEB_ALLOW_HOST"] == "${NUMERAL_WEB_ALLOW_HOST:-localhost}"
    assert environment["NUMERAL_WEB_ADDRESS"] == "service:8500"
    names = {name.removeprefix("NUMERAL_WEB_").lower() for name in environment if name.startswith("NUMERAL_WEB_")}
    assert names <= WebSettings.model_fields.keys()


def test_every_variable_has_a_default(project: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    variables = re.findall(r"\$\{([A-Z_]+)(:-)?", text)
    assert variables
    assert [name for name, default in variables if not default] == []
    assert "$" not in re.sub(r"\$\{[A-Z_]+:-[^}]*\}", "", text)


def test_the_operators_page_lists_exactly_the_settings_of_the_containers() -> None:
    text, page = ((ROOT / name).read_text("utf-8") for name in ("docker-compose.yml", "docs/operations.md"))
    table = page.partition("## Settings")[2].partition("**The pipelines**")[0]
    rows = re.findall(r"^\| (`NUMERAL_[^|]+) \|", table, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`(NUMERAL_[A-Z_]+)`", row)}
    assert set(re.findall(r"\$\{([A-Z_]+)", text)) == listed


def test_the_operators_page_lists_exactly_the_settings_of_the_pipelines() -> None:
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    table = page.partition("**The pipelines**")[2].partition("**Where versions are kept.**")[0]
    listed = re.findall(r"`(NUMERAL_[A-Z_]+)`", table)
    assert sorted(listed) == sorted(f"NUMERAL_{name.upper()}" for name in Settings.model_fields)


def test_the_server_sends_no_telemetry(project: dict[str, Any]) -> None:
    assert project["services"]["prefect-server"]["environment"]["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_the_only_image_from_elsewhere_is_the_pinned_python(stages: dict[str, str]) -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    sources = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) | set(re.findall(r"--from=(\S+)", text))
    assert sources - set(stages) - {"scratch"} == {"python:3.11-slim"}  # scratch is no image: it is empty


def test_no_build_names_a_package_host(stages: dict[str, str]) -> None:
    for text in ((ROOT / name).read_text("utf-8") for name in ("Dockerfile", "docker-compose.yml", "constraints.txt")):
        hosts = set(re.findall(r"[a-z]+://([^/:\s\"']*)", text))
        assert hosts <= {"127.0.0.1", "prefect-server", ""}
        assert not re.search(r"index-url|find-links|trusted-host|^ARG ", text, re.MULTILINE)


@pytest.mark.parametrize("target", ["pipelines", "service", "web"])
def test_an_image_runs_as_a_user_with_a_fixed_number(stages: dict[str, str], target: str) -> None:
    [user] = re.findall(r"^USER (.*)$", stages[target], re.MULTILINE)
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert f"--uid {user.partition(':')[0]} " in stages[target]


@pytest.mark.parametrize("target", ["pipelines", "service", "web"])
def test_an_image_declares_how_it_is_checked_started_and_stopped(stages: dict[str, str], target: str) -> None:
    lines = stages[target]
    assert re.search(r"^HEALTHCHECK .*CMD \[\"python\"", lines, re.MULTILINE)
    program = "pipelines" if target == "pipelines" else "service"
    assert f'ENTRYPOINT ["python", "-m", "{program}"]' in lines
    [command] = re.findall(r"^CMD \[\"([a-z]+)\"", lines, re.MULTILINE)
    assert command == {"pipelines": "schedule", "service": "serve", "web": "web"}[target]
    assert "STOPSIGNAL SIGTERM" in lines


def test_the_scheduler_is_healthy_only_once_it_works_and_while_runs_end_well(stages: dict[str, str]) -> None:
    check = re.findall(r"^HEALTHCHECK .*CMD (.*)$", stages["pipelines"], re.MULTILINE)
    assert check == ['["python", "-m", "pipelines", "health", "--scheduler"]']


def test_the_history_of_runs_does_not_grow_for_ever(project: dict[str, Any]) -> None:
    enabled = project["services"]["prefect-server"]["environment"]["PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"]
    assert enabled == environment._SETTINGS["PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"] == "events,flow_runs"


def test_an_image_contains_only_the_code_of_its_own_side(stages: dict[str, str]) -> None:
    copied = {  # onto the base, which is itself a copy
        name: set(re.findall(r"^COPY (?!--from=trimmed / /$).*?(\S+)$", stages[name], re.MULTILINE))
        for name in ("pipelines", "service", "web")
    }
    assert copied == {
        "pipelines": {"/venv", "data", "recipes", "pretrained", "core", "pipelines"},
        "service": {"/venv", "pretrained", "core", "protos", "service"},
        "web": {"/venv", "core", "protos", "service"},
    }


@pytest.mark.parametrize("target", ["pipelines-venv", "service-venv", "web-venv"])
def test_code_is_copied_after_the_packages_are_installed(stages: dict[str, str], target: str) -> None:
    before_install = stages[target].partition("pip --python")[0]
    copied = re.findall(r"^COPY (?:--\S+ )?(\S+) \S+$", before_install, re.MULTILINE)
    assert copied == ["constraints.txt", f"/requirements/{target.removesuffix('-venv')}.txt"]


def test_only_named_files_go_into_a_build() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    assert all((ROOT / pattern[1:]).exists() for pattern in patterns if pattern.startswith("!"))


def test_without_an_engine_the_compose_test_reports_that(tmp_path: Path) -> None:
    (tmp_path / "dirname").symlink_to(shutil.which("dirname") or "")  # all that is on the path: no docker
    environment = {"PATH": str(tmp_path), "COMPOSE_CHECK": str(tmp_path / "none")}
    ended = subprocess.run(
        ["/bin/sh", "tools/compose_test.sh"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("compose-test: neither a Docker engine with compose nor ")
    assert ended.stderr.count("\n") == 1
