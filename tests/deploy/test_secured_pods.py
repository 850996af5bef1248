"""deploy/kubernetes/overlays/secured: service and page, started with what their pods are told, work together."""

import json
import os
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.shipped import ROOT
from service.client import AccessError, Recognizer
from tests.deploy.cluster import overlay, set_in_image
from tests.deploy.kustomized import KUBERNETES
from tests.service.authority import Authority
from tests.service.harness import Process

SECURED = overlay(KUBERNETES / "overlays/secured")
PICTURE = ROOT / "examples/seven.png"


def mounted(folder: Path, files: dict[str, bytes]) -> None:
    """A secret as a kubelet mounts it: links to files in a folder that is itself reached through a link."""
    data = folder / "..2026_11_30"
    data.mkdir(parents=True)
    (folder / "..data").symlink_to(data.name)
    for name, content in files.items():
        (data / name).write_bytes(content)
        (data / name).chmod(0o440)
        (folder / name).symlink_to(f"..data/{name}")


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The secrets that the overlay needs, each in the folder of its path in the pods."""
    authority = Authority(tmp_path / "authority")
    authority.issue(tmp_path / "crt", tmp_path / "key")
    files = {"tls.crt": tmp_path / "crt", "tls.key": tmp_path / "key", "ca.crt": authority.certificate}
    mounted(tmp_path / "tls", {name: file.read_bytes() for name, file in files.items()})
    mounted(
        tmp_path / "tokens",
        {"tokens": b"predict:of-the-page-1234\nadmin:of-the-admin-1234\n", "token": b"of-the-page-1234\n"},
    )
    return tmp_path


def told(deployment: str, target: str, secrets: Path, **changes: str) -> dict[str, str]:
    """The variables of a pod, with the paths of its secrets, and an address of this machine."""
    said = {name: value for name, value in set_in_image(target).items() if name.startswith("NUMERAL_")}
    for name, value in SECURED.environment(deployment).items():
        said[name] = f"{secrets}{value}" if value.startswith(("/tls/", "/tokens/")) else value
    folders = {"NUMERAL_REPOSITORY": str(secrets / "models"), "NUMERAL_FEEDBACK": str(secrets / "feedback")}
    return said | folders | {"NUMERAL_PRETRAINED": str(ROOT / "pretrained"), "TMPDIR": str(secrets)} | changes


def test_the_secured_page_gets_answers_and_a_client_without_a_token_none(
    stack: ExitStack, secrets: Path, unused_port: int
) -> None:
    ports = {"NUMERAL_PORT": "0", "NUMERAL_METRICS_PORT": str(unused_port)}
    places = {"NUMERAL_HOST": "127.0.0.1", "NUMERAL_DRAIN_WAIT_SECONDS": "0"} | ports
    service = Process("serve", env=told("numeral-service", "service", secrets, **places), cwd=secrets)
    stack.callback(service.kill)
    address = service.listening()
    places = {"NUMERAL_WEB_HOST": "127.0.0.1", "NUMERAL_WEB_PORT": "0", "NUMERAL_WEB_ADDRESS": address}
    page = Process("web", env=told("numeral-web", "web", secrets, **places), cwd=secrets)
    stack.callback(page.kill)
    request = urllib.request.Request(
        f"{page.listening()}/v2/models/mnist/infer", PICTURE.read_bytes(), {"Content-Type": "image/png"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        assert json.load(response)["digit"] == 7
    authority = str(secrets / "tls/ca.crt")
    with Recognizer(address, tls=authority) as client, pytest.raises(AccessError):
        client.recognize(PICTURE)
    os.kill(service.popen.pid, 15)
    assert service.end().returncode == 0
