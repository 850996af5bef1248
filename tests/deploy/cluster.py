"""The manifests of one overlay, to be asked about."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.deploy.kustomized import KUBERNETES, Manifest, built

__all__ = ["DOCKERFILE", "Cluster", "overlay", "set_in_image"]

DOCKERFILE = KUBERNETES.parents[1] / "Dockerfile"


class Cluster:
    """What an overlay would create."""

    def __init__(self, manifests: list[Manifest]) -> None:
        """Args: the manifests."""
        self.manifests = manifests

    def of_kind(self, kind: str) -> dict[str, Manifest]:
        """The manifests of a kind, by name."""
        return {m["metadata"]["name"]: m for m in self.manifests if m["kind"] == kind}

    @property
    def pods(self) -> dict[str, dict[str, Any]]:
        """The specification of the pods of each Deployment, by the Deployment's name."""
        return {name: m["spec"]["template"]["spec"] for name, m in self.of_kind("Deployment").items()}

    def container(self, deployment: str) -> dict[str, Any]:
        """The only container of a Deployment's pods."""
        [container] = self.pods[deployment]["containers"]
        return container

    def environment(self, deployment: str) -> dict[str, str]:
        """The variables that the manifest sets; those of secrets are not among them."""
        return {item["name"]: item["value"] for item in self.container(deployment).get("env", ())}

    def selected(self, labels: dict[str, Any]) -> set[str]:
        """The names of the Deployments whose pods a selector selects."""
        return {name for name, m in self.of_kind("Deployment").items() if _matches(labels, m)}

    def ports(self, deployment: str) -> dict[str, int]:
        """The named ports of a Deployment's pods."""
        return {port["name"]: port["containerPort"] for port in self.container(deployment)["ports"]}

    def probes(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Deployment, kind of probe and probe."""
        for name in self.pods:
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                if kind in self.container(name):
                    yield name, kind, self.container(name)[kind]


def _matches(selector: dict[str, Any], deployment: Manifest) -> bool:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    exact = selector.get("matchLabels", {}).items() <= labels.items()
    return exact and all(
        expression["operator"] == "In" and labels.get(expression["key"]) in expression["values"]
        for expression in selector.get("matchExpressions", ())
    )


@cache
def overlay(folder: Path) -> Cluster:
    """What an overlay would create; not to be changed."""
    return Cluster(built(folder))


def set_in_image(target: str) -> dict[str, str]:
    """The variables that the Dockerfile sets in an image, those of the stages that it is made from included."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    stages = {
        name: (source, body)
        for source, name, body in re.findall(
            r"^FROM (\S+) AS (\S+)\n(.*?)(?=^FROM |\Z)", text, re.MULTILINE | re.DOTALL
        )
    }
    found: dict[str, str] = {}
    while target in stages:
        target, body = stages[target]
        for line in re.findall(r"^ENV (.*)$", body, re.MULTILINE):
            found = dict(re.findall(r"(\w+)=(\S+)", line)) | found
    return found
