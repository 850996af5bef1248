"""A picture as the body is answered for people."""

import json
import subprocess

import pytest

from tests.service.harness import ROOT
from tests.service.web.rest.asking import INFER, asked

SEVEN = ROOT / "examples" / "seven.png"

FIELDS = {
    "digit",
    "confidence",
    "probabilities",
    "rejected",
    "digitness",
    "model_name",
    "model_version",
    "weights_sha256",
    "reply_id",
}


@pytest.fixture
def pretrained(serve, serve_web, tmp_path):
    """A web server before the version that ships with Numeral."""
    return serve_web(serve(tmp_path / "empty", pretrained=str(ROOT / "pretrained")).address)


@pytest.mark.parametrize("flags", [["-H", "Content-Type: image/png"], [], ["-H", "Content-Type:"]])
def test_curl_sends_a_picture_and_reads_its_digit(pretrained, flags):
    command = ["curl", "--silent", "--data-binary", f"@{SEVEN}", *flags, pretrained.url + INFER]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = json.loads(said)
    assert (set(found), said.endswith("}\n")) == (FIELDS, True)
    assert (found["digit"], found["rejected"], found["model_version"]) == (7, None, "pretrained")
    assert len(found["probabilities"]) == 10
    assert found["confidence"] == max(found["probabilities"])


def test_a_picture_of_no_digit_says_why(pretrained):
    status, found = asked(pretrained, "POST", INFER, (ROOT / "docs/images/prefect-run.png").read_bytes())
    assert (status, isinstance(found["rejected"], str)) == (200, True)


@pytest.mark.parametrize("kind", ["image/jpeg", "image/*; q=1", "IMAGE/PNG", "application/octet-stream", ""])
def test_any_type_of_picture_or_none_will_do(web_server, png, kind):
    status, found = asked(web_server, "POST", INFER, png, Content_Type=kind)
    assert (status, found["model_version"]) == (200, "1")


def test_a_version_in_the_address_answers(web_server, png):
    assert asked(web_server, "POST", "/v2/models/mnist/versions/1/infer", png)[1]["model_version"] == "1"
    assert asked(web_server, "POST", "/v2/models/mnist/versions/9/infer", png)[0] == 404
    assert asked(web_server, "POST", "/v2/models/other/infer", png)[0] == 404


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b"", "image/png", 400, "empty"),
        (b"\x89PNG\r\n\x1a\n damaged", "", 400, "PNG"),
        (b"hello", "image/png", 400, ""),
        (b"%PDF-1.4", "", 400, "PDF"),
        (b"....ftypheic", "application/octet-stream", 400, "HEIC"),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415, "--data-binary"),
        (b"hello", "", 400, "not a picture"),
        (b"{}", "image/png", 400, ""),
    ],
)
def test_what_is_no_picture_is_refused_in_words(web_server, body, kind, status, words):
    found, document = asked(web_server, "POST", INFER, body, Content_Type=kind)
    assert (found, words in document["error"]) == (status, True), document


def test_a_portable_graymap_is_a_picture(web_server):
    image = b"P5 28 28 255\n" + bytes([255] * 300 + [0] * 100 + [255] * 384)
    assert asked(web_server, "POST", INFER, image)[0] == 200


def test_a_picture_with_too_many_pixels_is_413(web_server):
    header = b"P5 20000 20000 255\n" + bytes(100)
    status, found = asked(web_server, "POST", INFER, header)
    assert (status, list(found)) == (413, ["error"])
