"""The profiles of deploy/, as far as they can be checked without an engine; `make compose-test` runs the rest."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted((ROOT / "deploy").glob("compose.*.yml"))
STAND_INS = sorted((ROOT / "deploy/test").glob("compose.*.yml"))
PAGE = ROOT / "docs/deployment.md"


class Loader(yaml.SafeLoader):
    """Reads a file that overrides another one: what is marked with `!override` or `!reset` like the rest."""


def _plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return None


Loader.add_multi_constructor("!", _plain)


def services(file: Path) -> dict[str, dict[str, Any]]:
    return yaml.load(file.read_text("utf-8"), Loader)["services"]


BASE = services(ROOT / "docker-compose.yml")
ADDED = {
    f"{file.name}: {name}": service
    for file in PROFILES
    for name, service in services(file).items()
    if "image" in service
}
OF_OTHERS = {where: service for where, service in ADDED.items() if not service["image"].startswith("numeral-")}


@pytest.mark.parametrize("where", ADDED.keys() - {"compose.scale.yml: scheduler"})
def test_a_container_that_a_profile_adds_has_no_privileges_and_has_limits(where: str) -> None:
    service = ADDED[where]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert {"pids_limit", "mem_limit", "stop_grace_period"} <= service.keys()
    assert {"privileged", "cap_add", "pid", "ipc", "network_mode", "devices"} & service.keys() == set()
    assert service.get("read_only", False) is ("grafana" not in where)  # which writes its own database


@pytest.mark.parametrize("where", OF_OTHERS)
def test_an_image_of_others_is_pinned_by_its_tag(where: str) -> None:
    assert re.fullmatch(r"[a-z/]+:(v\d|\d|RELEASE\.\d)[\w.-]*", OF_OTHERS[where]["image"])


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.name)
def test_ports_are_published_on_this_machine_unless_somebody_says_otherwise(file: Path) -> None:
    ports = [port for service in services(file).values() for port in service.get("ports") or ()]
    assert [port for port in ports if not port.startswith(("127.0.0.1:", "${NUMERAL_BIND:-127.0.0.1}:"))] == []


def test_no_profile_but_tls_publishes_anything_beyond_this_machine() -> None:
    assert [file.name for file in PROFILES if "NUMERAL_BIND" in file.read_text("utf-8")] == [
        "compose.tls-scale.yml",
        "compose.tls.yml",
    ]


def test_with_tls_nothing_is_published_in_clear_text() -> None:
    changed = services(ROOT / "deploy/compose.tls.yml")
    published = {name for name, service in BASE.items() if "ports" in service}
    assert {name for name in published if changed[name]["ports"] == []} == {"prefect-server", "web"}
    assert published - {"prefect-server", "web"} == {"service"}
    assert changed["service"]["environment"]["NUMERAL_ALLOW_INSECURE"] == "no"
    assert changed["web"]["environment"]["NUMERAL_WEB_TOKEN_WITHOUT_TLS"] == "false"


def test_the_cluster_and_the_database_are_in_networks_that_lead_nowhere() -> None:
    for name, network in (("postgres", "database"), ("scale", "cluster")):
        file = yaml.load((ROOT / f"deploy/compose.{name}.yml").read_text("utf-8"), Loader)
        assert file["networks"] == {network: {"internal": True}}
    cluster = services(ROOT / "deploy/compose.scale.yml")
    assert cluster["dask-scheduler"]["networks"] == cluster["dask-worker"]["networks"] == ["cluster"]
    assert services(ROOT / "deploy/compose.postgres.yml")["postgres"]["networks"] == ["database"]


def test_a_variable_without_a_default_says_what_to_set_it_to() -> None:
    text = "".join(file.read_text("utf-8") for file in PROFILES)
    required = set(re.findall(r"\$\{([A-Z_0-9]+):\?", text))
    told = set(re.findall(r"\$\{([A-Z_0-9]+):\?set it in \.env, to [^}]+\}", text))
    assert required == told == {"NUMERAL_POSTGRES_PASSWORD", "NUMERAL_S3_KEY", "NUMERAL_S3_SECRET"}


def test_the_page_lists_exactly_the_variables_of_the_profiles() -> None:
    used = {name for file in PROFILES for name in re.findall(r"\$\{(NUMERAL_[A-Z_0-9]+)", file.read_text("utf-8"))}
    of_the_base = set(re.findall(r"\$\{(NUMERAL_[A-Z_0-9]+)", (ROOT / "docker-compose.yml").read_text("utf-8")))
    rows = re.findall(r"^\| (`NUMERAL_[^|]+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`(NUMERAL_[A-Z_0-9]+)`", row)}
    assert used - of_the_base == listed


def test_the_page_names_every_profile_and_no_other() -> None:
    assert set(re.findall(r"compose\.[a-z0-9-]+\.yml", PAGE.read_text("utf-8"))) == {file.name for file in PROFILES}


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.name)
def test_a_profile_mounts_only_files_that_exist(file: Path) -> None:
    mounts = [mount for service in services(file).values() for mount in service.get("volumes") or ()]
    assert all((ROOT / mount.partition(":")[0]).exists() for mount in mounts if mount.startswith("./"))


def test_a_proxy_is_started_with_a_configuration_that_exists_and_whose_parts_do() -> None:
    started = re.findall(r"/etc/numeral/([a-z-]+\.conf)", "".join(file.read_text("utf-8") for file in PROFILES))
    parts = {
        part for name in started for part in re.findall(r"include (\S+);", (ROOT / "deploy/nginx" / name).read_text())
    }
    assert {*started, *parts} == {file.name for file in (ROOT / "deploy/nginx").iterdir()}


@pytest.mark.parametrize("file", STAND_INS, ids=lambda file: file.name)
def test_a_stand_in_changes_nothing_but_where_a_program_comes_from(file: Path) -> None:
    profile = services(ROOT / "deploy" / file.name)
    targets = re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "deploy/test/Dockerfile").read_text("utf-8"), re.MULTILINE)
    for name, changed in services(file).items():
        assert "image" in profile[name]
        if changed != {"profiles": ["none"]}:
            assert changed.keys() - {"entrypoint"} == {"image", "build"}
            assert changed["build"]["target"] in targets


def test_the_image_of_the_cluster_is_that_of_the_pipelines_with_more_packages() -> None:
    cluster = (ROOT / "deploy/scale/Dockerfile").read_text("utf-8").replace("\\\n", " ").split("\nFROM ")[-1]
    whole = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    stages = dict(re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", whole, re.MULTILINE | re.DOTALL))
    pipelines = stages["runtime"] + stages["pipelines"]

    def variables(text: str) -> set[str]:
        lines = re.findall(r"^ENV (.*)$", text, re.MULTILINE)
        return {variable for line in lines for variable in line.split()}

    assert variables(cluster) == variables(pipelines)
    for word in ("USER", "HEALTHCHECK", "ENTRYPOINT", "CMD", "STOPSIGNAL"):
        assert re.findall(rf"^{word} .*$", cluster, re.MULTILINE) == re.findall(
            rf"^{word} .*$", pipelines, re.MULTILINE
        )
    copied = {text: set(re.findall(r"^COPY .*?(\S+)$", text, re.MULTILINE)) for text in (cluster, pipelines)}
    assert {name.partition("/")[0] for name in copied[cluster]} == {
        name.partition("/")[0] for name in copied[pipelines]
    }
