"""Alerts and dashboards use metrics that the service exports, and the script's certificates work."""

import json
import re
import subprocess
from pathlib import Path

import grpc
import pytest
import yaml

from pipelines.schedule.metrics import RetrainingCollector
from service.roles import ROLES
from service.telemetry.metrics import Metrics
from tests.service.harness import running

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DOCS = DEPLOY.parent / "docs"


def exported() -> set[str]:
    """The names of all series, with the endings that Prometheus gives them."""
    families = [(family.name, family.type) for family in Metrics().registry.collect()]
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    return {name + ending for name, kind in families for ending in endings[kind]}


def referenced(text: str) -> set[str]:
    return set(re.findall(r"numeral_[a-z_]+", text))


def exported_by_pipelines() -> set[str]:
    return {family.name for family in RetrainingCollector(Path("nowhere")).collect()}


def test_alerts_use_only_series_that_exist():
    groups = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text("utf-8"))["groups"]
    for group, series in zip(groups, (exported(), exported_by_pipelines()), strict=True):
        names = referenced("\n".join(rule["expr"] for rule in group["rules"]))
        assert names
        assert names - series == set()
        assert all(rule["annotations"]["summary"] for rule in group["rules"])


def test_the_dashboard_shows_every_series_and_no_unknown_one():
    panels = json.loads((DEPLOY / "grafana/dashboards/numeral.json").read_text("utf-8"))["panels"]
    names = referenced("\n".join(target["expr"] for panel in panels for target in panel["targets"]))
    assert names - exported() == set()
    missing = {name.removesuffix("_total") for name in exported() if name.endswith("_total")} - {
        name.removesuffix("_total") for name in names
    }
    assert missing <= {"numeral_shadow_images", "numeral_shadow_disagreements", "numeral_feedback"}


def test_methods_that_alerts_name_are_methods_of_the_service():
    methods = re.findall(r'method="([^"]+)"', (DEPLOY / "prometheus/alerts.yml").read_text("utf-8"))
    assert methods
    assert [method for method in methods if f"/{method}" not in ROLES] == []


def test_the_pages_on_monitoring_and_retraining_name_every_metric():
    pages = [(DOCS / f"{name}.md").read_text("utf-8") for name in ("monitoring", "retraining")]
    counted = {family.name for family in Metrics().registry.collect()}
    assert {name for name in counted if name not in pages[0]} == set()
    assert {name for name in exported_by_pipelines() if name not in pages[1]} == set()


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_a_page_names_no_metric_that_does_not_exist(page):
    families = {family.name for family in Metrics().registry.collect()}
    volumes = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text("utf-8"))["volumes"]
    others = {"numeral_session", *(f"numeral_{name}" for name in volumes)}  # a cookie, and volumes
    known = families | exported() | exported_by_pipelines() | others
    assert referenced(page.read_text("utf-8")) - known == set()


def test_ports_are_published_on_this_machine_only():
    services = yaml.safe_load((DEPLOY / "compose.observability.yml").read_text("utf-8"))["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    mounted = [mount.split(":")[0] for service in services.values() for mount in service.get("volumes", [])]
    assert all((DEPLOY.parent / mount).exists() for mount in mounted if mount.startswith("./"))


def test_the_script_makes_certificates_that_a_server_and_its_clients_accept(tmp_path):
    script = DEPLOY / "tls/make-certificates.sh"
    subprocess.run([script, tmp_path / "tls"], check=True, capture_output=True)
    files = {
        name: tmp_path / "tls" / name for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key")
    }
    assert all(file.stat().st_mode & 0o077 == 0 for name, file in files.items() if name.endswith(".key"))
    credentials = grpc.ssl_channel_credentials(
        files["ca.pem"].read_bytes(), files["client.key"].read_bytes(), files["client.pem"].read_bytes()
    )
    settings = {"tls_cert": "server.pem", "tls_key": "server.key", "tls_client_ca": "ca.pem"}
    with (
        running(tmp_path / "models", **{name: str(files[file]) for name, file in settings.items()}) as server,
        grpc.secure_channel(server.address, credentials) as channel,
    ):
        assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=30)
