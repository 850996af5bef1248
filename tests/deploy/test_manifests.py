"""deploy/kubernetes: every overlay is what a cluster takes, and its parts fit together."""

import json
import shutil
import subprocess
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.deploy.cluster import Cluster, overlay
from tests.deploy.kustomized import COMPONENTS, KUBERNETES, OVERLAYS, built, key

OLDEST, NEWEST = "1.30", "1.37"
"""The versions of Kubernetes between which the manifests are valid: `sleep` before a pod is stopped is new in 1.30."""


def test_every_component_is_used_by_an_overlay() -> None:
    used = {
        (folder / name).resolve()
        for folder in OVERLAYS
        for name in yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))["components"]
    }
    assert used == set(COMPONENTS)


def test_every_file_is_part_of_a_kustomization_or_no_manifest() -> None:
    named = set()
    for file in KUBERNETES.rglob("kustomization.yaml"):
        said = yaml.safe_load(file.read_text("utf-8"))
        named |= {file.parent / name for name in said.get("resources", ())}
        named |= {file.parent / patch["path"] for patch in said.get("patches", ())}
    files = {file for file in KUBERNETES.rglob("*.yaml") if file.name != "kustomization.yaml"}
    assert files - named == {KUBERNETES / "components/autoscaling/adapter-values.yaml"}


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_is_valid_for_the_oldest_and_the_newest_kubernetes(version: str) -> None:
    manifests = {json.dumps(manifest): manifest for folder in OVERLAYS for manifest in overlay(folder).manifests}
    for manifest in manifests.values():
        assert kubernetes_validate.validate(manifest, version, strict=True) == version


def test_the_schemas_refuse_a_field_that_kubernetes_does_not_know() -> None:
    [wrong] = [m for m in built(OVERLAYS[0]) if key(m) == ("Service", "numeral-web")]
    wrong["spec"]["port"] = 80
    with pytest.raises(kubernetes_validate.ValidationError, match="port"):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed: its answer cannot be compared")
def test_kubectl_builds_the_same_manifests_as_these_tests(cluster: Cluster, request: pytest.FixtureRequest) -> None:
    folder: Path = request.node.callspec.params["cluster"]
    ended = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)
    theirs = {key(manifest): manifest for manifest in yaml.safe_load_all(ended.stdout)}
    assert theirs == {key(manifest): manifest for manifest in cluster.manifests}


def test_no_two_manifests_have_the_same_kind_and_name(cluster: Cluster) -> None:
    assert len({key(manifest) for manifest in cluster.manifests}) == len(cluster.manifests)


def test_everything_is_in_one_namespace_that_takes_restricted_pods_alone(cluster: Cluster) -> None:
    [namespace] = cluster.of_kind("Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    places = {m["metadata"].get("namespace") for m in cluster.manifests if m["kind"] != "Namespace"}
    assert places == {namespace["metadata"]["name"]}


def test_a_pod_runs_without_privileges_on_a_read_only_file_system(cluster: Cluster) -> None:
    for name, pod in cluster.pods.items():
        user = pod["securityContext"]
        assert user["runAsNonRoot"] is True
        assert user["seccompProfile"] == {"type": "RuntimeDefault"}
        assert (user["runAsUser"], user["runAsGroup"], user["fsGroup"]) == (10001, 10001, 10001)
        assert pod["automountServiceAccountToken"] is False
        assert pod["shareProcessNamespace"] is True
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod.keys()
        assert cluster.container(name)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_a_pod_has_limits_and_asks_for_what_it_needs(cluster: Cluster) -> None:
    for name in cluster.pods:
        resources = cluster.container(name)["resources"]
        assert resources["requests"].keys() == resources["limits"].keys() == {"cpu", "memory"}


def test_a_selector_selects_the_pods_of_exactly_its_own_deployment(cluster: Cluster) -> None:
    for name, deployment in cluster.of_kind("Deployment").items():
        assert cluster.selected(deployment["spec"]["selector"]) == {name}
        for spread in cluster.pods[name].get("topologySpreadConstraints", ()):
            assert cluster.selected(spread["labelSelector"]) == {name}
    for name, service in cluster.of_kind("Service").items():
        assert cluster.selected({"matchLabels": service["spec"]["selector"]}) == {name.removesuffix("-pods")}
    for name, budget in cluster.of_kind("PodDisruptionBudget").items():
        assert cluster.selected(budget["spec"]["selector"]) == {name}


def test_a_service_sends_to_a_port_that_the_pods_have(cluster: Cluster) -> None:
    for service in cluster.of_kind("Service").values():
        [deployment] = cluster.selected({"matchLabels": service["spec"]["selector"]})
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= cluster.ports(deployment).keys()


def test_every_volume_is_mounted_and_every_claim_is_there_and_used(cluster: Cluster) -> None:
    claimed = set()
    for name, pod in cluster.pods.items():
        mounted = [mount["name"] for mount in cluster.container(name)["volumeMounts"]]
        assert sorted(mounted) == sorted(volume["name"] for volume in pod["volumes"])
        claims = [v["persistentVolumeClaim"]["claimName"] for v in pod["volumes"] if "persistentVolumeClaim" in v]
        claimed |= set(claims)
    assert claimed == cluster.of_kind("PersistentVolumeClaim").keys()


def test_a_claim_of_one_node_is_mounted_by_a_single_pod(cluster: Cluster) -> None:
    for claim, manifest in cluster.of_kind("PersistentVolumeClaim").items():
        users = [
            cluster.of_kind("Deployment")[name]["spec"]
            for name, pod in cluster.pods.items()
            if any(v.get("persistentVolumeClaim", {}).get("claimName") == claim for v in pod["volumes"])
        ]
        if manifest["spec"]["accessModes"] != ["ReadWriteMany"]:
            assert [(user["replicas"], user["strategy"]) for user in users] == [(1, {"type": "Recreate"})]


def test_no_secret_is_in_the_repository(cluster: Cluster) -> None:
    assert cluster.of_kind("Secret") == {}


def test_images_come_from_one_registry_with_the_tag_of_this_version(cluster: Cluster) -> None:
    version = tomllib.loads((KUBERNETES.parents[1] / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    images = {name: cluster.container(name)["image"] for name in cluster.pods}
    images.pop("numeral-prefect", None)
    assert images == {
        f"numeral-{pod}": f"registry.example/numeral-{image}:{version}"
        for pod, image in (("service", "service"), ("web", "web"), ("scheduler", "pipelines"))
    }
