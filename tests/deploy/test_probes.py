"""deploy/kubernetes: the probes, tried on real servers, and the policies that let calls through."""

import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from core.shipped import ROOT
from service.settings import OFF
from tests.deploy.cluster import Cluster, set_in_image
from tests.service.harness import Process, running

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def succeeds(probe: dict[str, Any], addresses: dict[str, str]) -> bool:
    """What the kubelet would find; `addresses` stand for the ports, by their names."""
    if "grpc" in probe:
        with closing(grpc.insecure_channel(addresses["grpc"])) as channel:
            request = HealthCheckRequest(service=probe["grpc"].get("service", ""))
            return HealthStub(channel).Check(request, timeout=30).status == HealthCheckResponse.SERVING
    get = probe["httpGet"]
    try:
        with urllib.request.urlopen(f"http://{addresses[get['port']]}{get['path']}", timeout=30) as response:
            return 200 <= response.status < 400
    except urllib.error.HTTPError:
        return False


@pytest.mark.parametrize(
    ("pretrained", "expected"),
    [(str(ROOT / "pretrained"), [True, True, True]), (OFF, [True, False, True])],
    ids=["serving", "without a version"],
)
def test_a_service_without_a_version_lives_and_is_not_ready(
    cluster: Cluster, stack: ExitStack, tmp_path: Path, unused_port: int, pretrained: str, expected: list[bool]
) -> None:
    server = stack.enter_context(running(tmp_path / "models", metrics_port=unused_port, pretrained=pretrained))
    addresses = {"grpc": server.address, "metrics": f"127.0.0.1:{unused_port}"}
    container = cluster.container("numeral-service")
    assert [succeeds(container[probe], addresses) for probe in PROBES] == expected


def test_a_page_is_ready_while_the_service_is_away(cluster: Cluster, stack: ExitStack, tmp_path: Path) -> None:
    said = set_in_image("web") | cluster.environment("numeral-web")
    ours = {name: said[name] for name in said if name.startswith("NUMERAL_WEB_") and not name.endswith("TOKEN_FILE")}
    page = Process("web", env=ours | {"NUMERAL_WEB_HOST": "127.0.0.1", "NUMERAL_WEB_PORT": "0"}, cwd=tmp_path)
    stack.callback(page.kill)
    addresses = {"http": page.listening().removeprefix("http://")}
    container = cluster.container("numeral-web")
    assert [succeeds(container[probe], addresses) for probe in PROBES if probe in container] == [True, True]


def test_a_probe_asks_a_port_that_the_pod_has(cluster: Cluster) -> None:
    for name, _, probe in cluster.probes():
        if "exec" not in probe:
            asked = probe.get("httpGet", probe.get("grpc"))["port"]
            assert asked in {*cluster.ports(name), *cluster.ports(name).values()}


def test_a_policy_opens_only_ports_that_the_pods_have(cluster: Cluster) -> None:
    for policy in cluster.of_kind("NetworkPolicy").values():
        ports = {
            port for name in cluster.selected(policy["spec"]["podSelector"]) for port in cluster.ports(name).values()
        }
        assert ports
        opened = {port["port"] for rule in policy["spec"].get("ingress", ()) for port in rule["ports"]}
        assert opened <= ports


@pytest.fixture
def may(cluster: Cluster) -> Callable[[str, str], set[int]]:
    """The ports of one Deployment's pods that the pods of another may call, by the policies of both sides."""

    def ports(side: str, rule: str, here: str, there: str) -> set[int]:
        return {
            port["port"]
            for policy in cluster.of_kind("NetworkPolicy").values()
            if here in cluster.selected(policy["spec"]["podSelector"])
            for allowed in policy["spec"].get(side, ())
            for port in allowed["ports"]
            if rule not in allowed
            or any(
                "namespaceSelector" not in peer and there in cluster.selected(peer["podSelector"])
                for peer in allowed[rule]
            )
        }

    return lambda caller, called: (
        ports("egress", "to", caller, called)
        & ports("ingress", "from", called, caller)
        & set(cluster.ports(called).values())
    )


def test_pods_reach_what_they_need_and_nothing_else(cluster: Cluster, may: Callable[[str, str], set[int]]) -> None:
    names = list(cluster.pods)
    reached = {(caller, called): may(caller, called) for caller in names for called in names if caller != called}
    wanted = {("numeral-web", "numeral-service"): {8500}}
    if "numeral-prefect" in names:
        wanted["numeral-scheduler", "numeral-prefect"] = {4200}
    assert {pair: ports for pair, ports in reached.items() if ports} == wanted


def test_what_no_policy_allows_is_forbidden(cluster: Cluster) -> None:
    nothing = cluster.of_kind("NetworkPolicy")["numeral-nothing"]["spec"]
    assert cluster.selected(nothing["podSelector"]) == cluster.pods.keys()
    assert nothing["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & nothing.keys()


def test_pods_with_a_bucket_may_reach_it_and_its_keys_come_from_secrets(cluster: Cluster) -> None:
    policies = cluster.of_kind("NetworkPolicy").values()
    for name, secret in (("numeral-service", "reader"), ("numeral-scheduler", "writer")):
        outside = {
            port["port"]
            for policy in policies
            if name in cluster.selected(policy["spec"]["podSelector"])
            for rule in policy["spec"].get("egress", ())
            if "to" not in rule
            for port in rule["ports"]
        }
        bucket = cluster.environment(name).get("NUMERAL_REPOSITORY", "").startswith("s3://")
        assert (443 in outside) == bucket
        keys = [source["secretRef"]["name"] for source in cluster.container(name).get("envFrom", ())]
        assert keys == ([f"numeral-bucket-{secret}"] if bucket else [])
