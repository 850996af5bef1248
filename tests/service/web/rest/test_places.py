"""Every address of the protocol is answered, with and without a version; everything else says what is wrong."""

import pytest

from service.web.rest.http_error import HttpError
from service.web.rest.places import Place, place_of
from tests.patience import eventually
from tests.service.tiny_model import publish
from tests.service.web.rest.asking import asked, load

MODEL = "/v2/models/mnist"


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_the_server_describes_itself(web_server, path):
    status, found = asked(web_server, "GET", path)
    assert (status, found["name"]) == (200, "numeral")
    assert {"binary_tensor_data", "classification"} <= set(found["extensions"])


@pytest.mark.parametrize("version", ["", "/versions/1"])
def test_a_model_is_described_with_numbers_as_numbers(web_server, version):
    status, model = asked(web_server, "GET", MODEL + version)
    assert (status, model["versions"]) == (200, ["1"])
    assert model["inputs"] == [{"name": "image", "datatype": "UINT8", "shape": [-1, 784]}]
    status, config = asked(web_server, "GET", f"{MODEL}{version}/config")
    assert (status, config["input"]) == (200, [{"name": "image", "data_type": "TYPE_UINT8", "dims": [784]}])
    assert config["version_policy"] == {"specific": {"versions": [1]}}
    status, stats = asked(web_server, "GET", f"{MODEL}{version}/stats")
    assert (status, stats["model_stats"][0]["inference_stats"]["success"]) == (200, {"count": 0, "ns": 0})
    assert asked(web_server, "GET", f"{MODEL}{version}/ready") == (200, None)


def test_statistics_of_all_models_have_an_address_of_their_own(web_server):
    status, found = asked(web_server, "GET", "/v2/models/stats")
    assert (status, [each["version"] for each in found["model_stats"]]) == (200, ["1"])


def test_health_is_an_empty_answer_or_503(web_server):
    assert asked(web_server, "GET", "/v2/health/live") == (200, None)
    assert asked(web_server, "GET", "/v2/health/ready") == (200, None)
    assert asked(web_server, "POST", "/v2/repository/models/mnist/unload") == (200, None)
    assert asked(web_server, "GET", "/v2/health/live") == (200, None)
    assert asked(web_server, "GET", "/v2/health/ready")[0] == 503
    assert asked(web_server, "GET", f"{MODEL}/ready")[0] == 503
    assert asked(web_server, "POST", "/v2/repository/models/mnist/load", {}) == (200, None)
    assert asked(web_server, "GET", "/v2/health/ready") == (200, None)


def test_the_repository_is_listed_and_versions_are_loaded(repository, service, web_server):
    publish(repository, seed=2, promote=False)
    status, index = asked(web_server, "POST", "/v2/repository/index", {"ready": True})
    assert (status, index) == (200, [{"name": "mnist", "version": "1", "state": "READY", "reason": ""}])
    eventually(lambda: asked(web_server, "GET", f"{MODEL}/versions/2/ready")[0] == 503)
    load(web_server, 2)
    assert asked(web_server, "GET", f"{MODEL}/versions/2/ready") == (200, None)
    status, index = asked(web_server, "POST", "/v2/repository/index")
    assert [each["version"] for each in index if each["state"] == "READY"] == ["1", "2"]


def test_head_is_get_without_its_body(web_server):
    response, body = web_server.ask("HEAD", MODEL)
    assert (response.status, body) == (200, b"")
    assert int(response.headers["content-length"]) > 100


NOWHERE = [
    "/v2/nothing",
    "/v2/models",
    "/v2/models/mnist/versions",
    "/v2/models/mnist/versions/",
    "/v2/models//infer",
    "/v2/models/mnist/versions//infer",
    "/v2/models/mnist/infer/more",
    "/v2/models/{m}",
    "/v2/repository/models/mnist",
    "/v2/repository/models//load",
    "/v2/models/stats/versions/1/more",
    "/v2/systemsharedmemory/status",
    "/v2/logging",
]


def test_an_address_that_does_not_exist_is_404(web_server):
    for path in NOWHERE:
        status, found = asked(web_server, "GET", path)
        assert (status, list(found)) == (404, ["error"]), path
        assert "/openapi.json" in found["error"], path


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v2/models/mnist/infer", "POST"),
        ("POST", "/v2", "GET, HEAD"),
        ("DELETE", "/v2/health/live", "GET, HEAD"),
        ("OPTIONS", "/v2/models/mnist/versions/3/infer", "POST"),
        ("GET", "/v2/repository/index", "POST"),
    ],
)
def test_another_method_is_405_and_allow_names_the_right_one(web_server, method, path, allowed):
    response, body = web_server.ask(method, path)
    assert (response.status, response.headers["allow"]) == (405, allowed)
    assert b'{"error":' in body


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/v2/models/other", "no model 'other' here; the only one is 'mnist'"),
        ("/v2/models/mnist/versions/9", "no version or alias '9' here"),
        ("/v2/models/mnist/versions/9/ready", "no version or alias '9' here"),
        ("/v2/models/mnist/versions/champion-of-all/config", "champion-of-all"),
        ("/v2/models/m%C3%BCnchen/stats", "münchen"),
    ],
)
def test_an_unknown_model_or_version_is_404(web_server, path, sentence):
    status, found = asked(web_server, "GET", path)
    assert status == 404
    assert sentence in found["error"]


def test_a_model_may_be_named_like_a_word_of_the_protocol():
    assert place_of("GET", "/v2/models/stats/versions/versions/ready") == Place("model_ready", "stats", "versions")
    assert place_of("GET", "/v2/models/versions/versions/1") == Place("model", "versions", "1")
    assert place_of("POST", "/v2/repository/models/index/load") == Place("load", "index", "")
    with pytest.raises(HttpError):
        place_of("GET", "/v2/models/{m}/ready")


def test_what_is_not_below_v2_is_somebody_elses(web_server):
    assert web_server.ask("GET", "/v2x")[0].status == 404
    assert web_server.ask("GET", "/healthz")[1] == b'{"status":"ok"}'
