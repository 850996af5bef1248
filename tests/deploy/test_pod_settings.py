"""deploy/kubernetes: what the pods are told is what the programs read."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from core.errors import ConfigError
from pipelines.cli.commands import app
from pipelines.settings import Settings as PipelinesSettings
from service.cli import connection_flags
from service.from_environment import read_as
from service.server.supervisor import KILL_AFTER
from service.settings import Settings
from service.telemetry.metrics import Metrics
from service.web.web_settings import WebSettings
from tests.deploy.cluster import DOCKERFILE, Cluster, overlay, set_in_image
from tests.deploy.kustomized import KUBERNETES

COMPOSE = yaml.safe_load((KUBERNETES.parents[1] / "docker-compose.yml").read_text("utf-8"))["services"]
KINDS = {"numeral-service": Settings, "numeral-web": WebSettings, "numeral-scheduler": PipelinesSettings}
TARGETS = {"numeral-service": "service", "numeral-web": "web", "numeral-scheduler": "pipelines"}


def inside(monkeypatch: pytest.MonkeyPatch, cluster: Cluster, deployment: str) -> Any:
    """The settings that the program in a pod would read."""
    for name in [name for name in os.environ if name.startswith("NUMERAL_")]:
        monkeypatch.delenv(name)
    for name, value in (set_in_image(TARGETS[deployment]) | cluster.environment(deployment)).items():
        if name.startswith("NUMERAL_"):
            monkeypatch.setenv(name, value)
    kind = KINDS[deployment]
    return kind() if kind is PipelinesSettings else read_as(kind)


def known(deployment: str) -> set[str]:
    """The variables that a pod's program reads, apart from those of its libraries."""
    kind = KINDS[deployment]
    names = {f"{kind.model_config['env_prefix']}{field.upper()}" for field in kind.model_fields}
    if kind is WebSettings:  # how every client reaches the service
        names |= set(re.findall(r'envvar="(\w+)"', Path(connection_flags.__file__).read_text("utf-8")))
    return names


@pytest.mark.parametrize("deployment", KINDS)
def test_every_variable_is_a_setting_of_the_program(cluster: Cluster, deployment: str) -> None:
    ours = {name for name in cluster.environment(deployment) if name.startswith("NUMERAL_")}
    assert ours
    assert ours <= known(deployment)
    others = cluster.environment(deployment).keys() - ours
    assert others <= {"PREFECT_API_URL", "AWS_REGION"}


@pytest.mark.parametrize("deployment", KINDS)
def test_the_settings_of_a_pod_can_be_read(monkeypatch: pytest.MonkeyPatch, cluster: Cluster, deployment: str) -> None:
    assert inside(monkeypatch, cluster, deployment)


@pytest.mark.parametrize("deployment", ["numeral-service", "numeral-web"])
def test_variables_that_the_cluster_would_add_are_kept_away(
    monkeypatch: pytest.MonkeyPatch, cluster: Cluster, deployment: str
) -> None:
    assert all(pod["enableServiceLinks"] is False for pod in cluster.pods.values())
    # What Kubernetes would set for services that are called numeral and numeral-web.
    monkeypatch.setenv("NUMERAL_PORT", "tcp://10.0.0.1:8500")
    monkeypatch.setenv("NUMERAL_WEB_PORT", "tcp://10.0.0.2:80")
    with pytest.raises(ConfigError, match="PORT"):
        read_as(KINDS[deployment])


def test_a_pod_has_the_ports_that_its_program_opens_to_others(
    monkeypatch: pytest.MonkeyPatch, cluster: Cluster
) -> None:
    service = inside(monkeypatch, cluster, "numeral-service")
    assert cluster.ports("numeral-service") == {"grpc": service.port, "metrics": service.metrics_port}
    web = inside(monkeypatch, cluster, "numeral-web")
    assert cluster.ports("numeral-web") == {"http": web.port}
    scheduler = inside(monkeypatch, cluster, "numeral-scheduler")
    assert cluster.ports("numeral-scheduler") == {"metrics": scheduler.metrics_port}
    hosts = service.host, service.metrics_host, web.host, scheduler.metrics_host
    assert hosts == ("0.0.0.0",) * 4


def test_prometheus_is_told_the_port_of_the_metrics(cluster: Cluster) -> None:
    told = {
        name: manifest["spec"]["template"]["metadata"].get("annotations", {}).get("prometheus.io/port")
        for name, manifest in cluster.of_kind("Deployment").items()
    }
    metrics = {name: cluster.ports(name).get("metrics") for name in told}
    assert told == {name: str(port) if port else None for name, port in metrics.items()}


def test_a_pod_has_more_time_to_stop_than_its_program_takes(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> None:
    service = inside(monkeypatch, cluster, "numeral-service")
    longest = service.drain_wait_seconds + service.drain_seconds + KILL_AFTER
    assert service.drain_wait_seconds > 0
    assert cluster.pods["numeral-service"]["terminationGracePeriodSeconds"] > longest
    web = inside(monkeypatch, cluster, "numeral-web")
    before = cluster.container("numeral-web")["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert cluster.pods["numeral-web"]["terminationGracePeriodSeconds"] > before + web.drain_seconds
    compose = int(COMPOSE["scheduler"]["stop_grace_period"].removesuffix("s"))
    assert cluster.pods["numeral-scheduler"]["terminationGracePeriodSeconds"] >= compose


def test_the_page_asks_the_pods_of_the_service_at_its_port(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> None:
    host, _, port = inside(monkeypatch, cluster, "numeral-web").address.partition(":")
    found = cluster.of_kind("Service")[host]["spec"]
    assert found["clusterIP"] == "None"  # so that the name stands for all pods, and the client takes turns
    assert [p["port"] for p in found["ports"]] == [int(port)] == [cluster.ports("numeral-service")["grpc"]]


def test_the_folders_of_the_settings_are_volumes(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> None:
    for deployment in ("numeral-service", "numeral-scheduler"):
        settings = inside(monkeypatch, cluster, deployment)
        mounts = {mount["mountPath"]: mount for mount in cluster.container(deployment)["volumeMounts"]}
        folders = [getattr(settings, field, None) for field in ("repository", "feedback", "data_dir")]
        wanted = {str(folder) for folder in folders if folder and not str(folder).startswith("s3://")}
        assert wanted <= mounts.keys()
        writes = deployment == "numeral-scheduler"
        assert "/models" not in mounts or mounts["/models"].get("readOnly", False) is not writes
        assert "/feedback" not in mounts or mounts["/feedback"].get("readOnly", False) is writes


def test_secrets_are_read_from_the_files_that_are_mounted(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> None:
    service = inside(monkeypatch, cluster, "numeral-service")
    web = inside(monkeypatch, cluster, "numeral-web")
    ca = cluster.environment("numeral-web").get("NUMERAL_TLS_CA")
    files = {
        "numeral-service": [service.tls_cert, service.tls_key, service.tokens_file],
        "numeral-web": [web.token_file, ca],
    }
    assert (service.tls_cert is None) == (ca is None)
    assert (service.tokens_file is None) == (web.token_file is None)
    for deployment, named in files.items():
        pod, mounts = cluster.pods[deployment], cluster.container(deployment)["volumeMounts"]
        secrets = {volume["name"]: volume["secret"] for volume in pod["volumes"] if "secret" in volume}
        folders = {mount["mountPath"]: mount for mount in mounts if mount["name"] in secrets}
        assert {str(Path(file).parent) for file in named if file} == folders.keys()
        assert all(mount["readOnly"] for mount in folders.values())
        private = [file for file in named if file and not file.endswith((".crt", ".pem"))]
        for file in private:
            assert secrets[folders[str(Path(file).parent)]["name"]]["defaultMode"] == 0o440


def test_with_tls_the_service_does_not_start_without_its_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = inside(monkeypatch, overlay(KUBERNETES / "overlays/secured"), "numeral-service")
    assert settings.tls_cert == "/tls/tls.crt"
    assert settings.allow_insecure == "no"


def test_the_schedule_is_the_one_of_compose_with_options_that_exist(cluster: Cluster) -> None:
    command, *options = cluster.container("numeral-scheduler")["args"]
    names = [option.partition("=")[0] for option in options]
    known = typer.main.get_command(app).commands[command].params
    assert set(names) <= {name for parameter in known for name in parameter.opts}
    assert [command, *names] == [part.partition("=")[0] for part in COMPOSE["scheduler"]["command"]]


def test_the_scheduler_is_ready_by_the_health_check_of_its_image(cluster: Cluster) -> None:
    check = re.search(r"^HEALTHCHECK .*CMD (\[.*\"pipelines\".*\])$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert check
    assert cluster.container("numeral-scheduler")["readinessProbe"]["exec"]["command"] == yaml.safe_load(check[1])


def test_the_prefect_server_is_told_what_compose_tells_it() -> None:
    cluster = overlay(KUBERNETES / "overlays/everything")
    compose = COMPOSE["prefect-server"]
    plain = {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value)) for name, value in compose["environment"].items()}
    assert cluster.environment("numeral-prefect") == plain
    assert cluster.container("numeral-prefect")["command"] == compose["entrypoint"]
    url = cluster.environment("numeral-scheduler")["PREFECT_API_URL"]
    [port] = cluster.of_kind("Service")["numeral-prefect"]["spec"]["ports"]
    assert url == f"http://numeral-prefect:{port['port']}/api"
    probes = {probe["httpGet"]["path"] for name, _, probe in cluster.probes() if name == "numeral-prefect"}
    assert [f"http://127.0.0.1:4200{path}" in compose["healthcheck"]["test"][4] for path in probes] == [True]


def test_the_autoscaler_follows_a_gauge_that_the_service_shows() -> None:
    cluster = overlay(KUBERNETES / "overlays/everything")
    [scaler] = cluster.of_kind("HorizontalPodAutoscaler").values()
    target = cluster.of_kind("Deployment")[scaler["spec"]["scaleTargetRef"]["name"]]
    assert "replicas" not in target["spec"]
    gauges = {family.name for family in Metrics().registry.collect() if family.type == "gauge"}
    [metric] = [metric["pods"]["metric"]["name"] for metric in scaler["spec"]["metrics"]]
    assert metric in gauges
    file = KUBERNETES / "components/autoscaling/adapter-values.yaml"
    [rule] = yaml.safe_load(file.read_text("utf-8"))["rules"]["custom"]
    assert rule["seriesQuery"].partition("{")[0] == metric
