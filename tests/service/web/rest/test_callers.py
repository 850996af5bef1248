"""Whose token a request carries on, and what no request may do without one."""

import logging

import pytest

from tests.service.tiny_model import publish
from tests.service.web.rest.asking import INFER, asked, pixels_request
from tests.whole_files import replace

PREDICT, ADMIN, POOR = "a-token-to-predict", "a-token-to-administer", "a-token-for-little"
LOAD, UNLOAD = "/v2/repository/models/mnist/load", "/v2/repository/models/mnist/unload"


@pytest.fixture
def guarded(repository, folder, serve, tmp_path):
    """A service that asks for tokens."""
    publish(repository, seed=1)
    file = tmp_path / "tokens"
    replace(file, f"predict:{PREDICT}\nadmin:{ADMIN}\npredict:{POOR} rate=1\n".encode(), mode=0o600)
    return serve(folder, tokens_file=str(file))


@pytest.fixture
def request_of(pixels):
    return pixels_request(pixels[None])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_web_servers_own_token_recognizes_digits(guarded, serve_web, request_of):
    server = serve_web(guarded.address, token=ADMIN)
    assert asked(server, "POST", INFER, request_of)[0] == 200
    assert asked(server, "GET", "/v2/models/mnist")[0] == 200


def test_the_web_servers_own_token_is_lent_to_nobody_who_loads(guarded, serve_web):
    server = serve_web(guarded.address, token=ADMIN)
    for path in (LOAD, UNLOAD):
        response, body = server.ask("POST", path, b"{}")
        assert (response.status, response.headers["www-authenticate"]) == (401, "Bearer")
        assert b"administrator's token" in body
        assert asked(server, "POST", path, {}, **bearer(PREDICT))[0] == 403
        assert asked(server, "POST", path, {}, **bearer(ADMIN))[0] == 200


def test_a_callers_token_is_the_one_that_counts(guarded, serve_web, request_of):
    server = serve_web(guarded.address, token=ADMIN)
    assert asked(server, "POST", INFER, request_of, **bearer(PREDICT))[0] == 200
    status, found = asked(server, "POST", INFER, request_of, **bearer("unknown"))
    assert (status, "not known to this service" in found["error"]) == (401, True)


def test_without_any_token_the_sentence_names_the_header(guarded, serve_web, request_of):
    server = serve_web(guarded.address)
    for path in ("/v2/health/live", "/v2/models/mnist/ready"):
        status, found = asked(server, "GET", path)
        assert (status, "`Authorization: Bearer TOKEN`" in found["error"]) == (401, True)
    assert asked(server, "POST", INFER, request_of)[0] == 401
    assert asked(server, "POST", INFER, request_of, **bearer(PREDICT))[0] == 200
    status, found = asked(server, "POST", UNLOAD, {})
    assert (status, "`Authorization: Bearer TOKEN`" in found["error"]) == (401, True)


def test_what_is_no_bearer_token_is_401(guarded, serve_web):
    server = serve_web(guarded.address, token=ADMIN)
    for shown in ("Basic eDp5", "Bearer", "Bearer ", "Bearer a b", "bearer\ta", "Bearer " + "x" * 5000):
        status, found = asked(server, "GET", "/v2", Authorization=shown)
        assert (status, "bearer token" in found["error"]) == (401, True)


def test_a_quota_is_429_and_says_when_to_call_again(guarded, serve_web, request_of):
    server = serve_web(guarded.address, token=PREDICT)
    many = {"inputs": [request_of["inputs"][0] | {"shape": [5, 784], "data": request_of["inputs"][0]["data"] * 5}]}
    assert asked(server, "POST", INFER, many, **bearer(POOR))[0] == 200
    import json

    response, body = server.ask("POST", INFER, json.dumps(many), bearer(POOR))
    assert (response.status, int(response.headers["retry-after"]) >= 1) == (429, True), body


def test_where_no_token_is_needed_this_machine_loads(web_server):
    assert asked(web_server, "POST", LOAD, {})[0] == 200
    for headers in ({"X_Forwarded_For": "127.0.0.1"}, {"Forwarded": "for=1.2.3.4"}, {"Via": "1.1 proxy"}):
        status, found = asked(web_server, "POST", UNLOAD, {}, **headers)
        assert (status, "another machine" in found["error"]) == (401, True)
    assert asked(web_server, "GET", "/v2/health/ready")[0] == 200, "nothing was unloaded"


def test_another_sites_page_gets_nothing_done(web_server, request_of):
    for origin in ("http://elsewhere.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"):
        for path in (INFER, LOAD, "/v2/repository/index"):
            status, found = asked(web_server, "POST", path, request_of, Origin=origin)
            assert (status, "another site" in found["error"]) == (403, True)
    assert asked(web_server, "POST", INFER, request_of, Origin=web_server.url)[0] == 200
    assert asked(web_server, "GET", "/v2", Origin="http://elsewhere.example")[0] == 200, "browsers hide the answer"


def test_the_id_of_a_request_comes_back_and_gets_to_the_service(web_server, request_of, caplog):
    import json

    response, _ = web_server.ask("POST", INFER, json.dumps(request_of), {"X-Request-Id": "mine-1"})
    assert (response.status, response.headers["x-request-id"]) == (200, "mine-1")
    response, _ = web_server.ask("POST", INFER, json.dumps(request_of), {"X-Request-Id": "not <mine>"})
    assert (response.status, response.headers["x-request-id"]) == (200, None)


def test_neither_tokens_nor_pictures_get_into_logs(guarded, serve_web, request_of, caplog):
    caplog.set_level(logging.DEBUG)
    server = serve_web(guarded.address, token=ADMIN, access_log=True)
    asked(server, "POST", INFER, request_of, **bearer(PREDICT))
    asked(server, "POST", INFER, request_of, **bearer("wrong-token"))
    asked(server, "POST", INFER, b"\x89PNG a picture that is none", **bearer(PREDICT))
    assert caplog.text
    assert not any(secret in caplog.text for secret in (PREDICT, ADMIN, "wrong-token", "a picture that is none"))


def test_a_callers_token_is_not_sent_on_in_clear_text(serve_web):
    status, found = asked(serve_web("service.example:8500"), "GET", "/v2", **bearer(PREDICT))
    assert (status, "in clear text" in found["error"]) == (403, True)
