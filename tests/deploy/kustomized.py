"""What a kustomization says, worked out: the manifests that `kubectl apply --kustomize` would send.

Only what deploy/kubernetes uses is known here; anything else is an error, so that nothing is passed over. Where kubectl
is installed, a test compares its answer with this one.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonpatch
import yaml

__all__ = ["COMPONENTS", "KUBERNETES", "OVERLAYS", "Manifest", "built", "key"]

Manifest = dict[str, Any]

KUBERNETES = Path(__file__).resolve().parents[2] / "deploy/kubernetes"
OVERLAYS = sorted(file.parent for file in KUBERNETES.glob("overlays/*/kustomization.yaml"))
COMPONENTS = sorted(file.parent for file in KUBERNETES.glob("components/*/kustomization.yaml"))

KNOWN = {"apiVersion", "kind", "namespace", "resources", "components", "patches", "images"}


def built(folder: Path) -> list[Manifest]:
    """The manifests of a kustomization."""
    return _applied(folder, [])


def key(manifest: Manifest) -> tuple[str, str]:
    """Kind and name."""
    return manifest["kind"], manifest["metadata"]["name"]


def _applied(folder: Path, manifests: list[Manifest]) -> list[Manifest]:
    """What a kustomization, or a component, makes of the manifests before it."""
    said = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    if unknown := said.keys() - KNOWN:
        raise NotImplementedError(f"{folder}: {unknown} are not known to the tests; extend {__file__}")
    manifests = deepcopy(manifests)
    for name in said.get("resources", ()):
        manifests += built(folder / name) if (folder / name).is_dir() else _documents(folder / name)
    for name in said.get("components", ()):
        manifests = _applied(folder / name, manifests)
    for patch in said.get("patches", ()):
        manifests = _patched(
            manifests, yaml.safe_load((folder / patch["path"]).read_text("utf-8")), patch.get("target")
        )
    for manifest in manifests:
        if "namespace" in said and manifest["kind"] != "Namespace":
            manifest["metadata"]["namespace"] = said["namespace"]
        for image in said.get("images", ()):
            _rename(manifest, image)
    return manifests


def _documents(file: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(file.read_text("utf-8")))


def _patched(manifests: list[Manifest], patch: Any, target: dict[str, str] | None) -> list[Manifest]:
    """A list is a JSON patch (RFC 6902) of its target; a manifest with `$patch: delete` removes the one of its name."""
    wanted = (target["kind"], target["name"]) if target else key(patch)
    found = [index for index, manifest in enumerate(manifests) if key(manifest) == wanted]
    if len(found) != 1:
        raise LookupError(f"a patch is for {wanted}, and {len(found)} manifests are called so, expected one")
    if isinstance(patch, list):
        changed = [jsonpatch.apply_patch(manifests[found[0]], patch)]
    elif patch.get("$patch") == "delete":
        changed = []
    else:
        raise NotImplementedError(f"a strategic merge of {wanted} is not known to the tests; write a JSON patch")
    return [*manifests[: found[0]], *changed, *manifests[found[0] + 1 :]]


def _rename(manifest: Manifest, image: dict[str, str]) -> None:
    for container in manifest.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ()):
        if container["image"] == image["name"]:
            container["image"] = f"{image['newName']}:{image['newTag']}"
