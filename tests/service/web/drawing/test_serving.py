"""Whether the service answers now."""

import json

from tests.patience import eventually
from tests.service.tiny_model import publish


def status(server):
    return json.loads(server.ask("GET", "/page/status")[1])


def test_the_version_that_serves_is_named(web_server):
    assert status(web_server) == {"serving": True, "version": "1", "notice": ""}


def test_an_outage_and_its_end_are_noticed(repository, folder, serve, serve_web, free_port):
    publish(repository, seed=1)
    first = serve(folder, port=free_port)
    server = serve_web(first.address)
    assert status(server)["serving"]
    first.end()
    eventually(lambda: not status(server)["serving"])
    away = status(server)
    assert (away["version"], first.address in away["notice"]) == (None, False)
    assert "try again in a moment" in away["notice"]
    serve(folder, port=free_port)
    eventually(lambda: status(server)["serving"])


def test_a_service_without_a_model_is_not_serving(folder, repository, serve, serve_web):
    assert not status(serve_web(serve(folder).address))["serving"]
