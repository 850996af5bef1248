"""What requests are told while the service is away, and that they are answered once it is back."""

from tests.patience import eventually
from tests.service.tiny_model import publish
from tests.service.web.rest.asking import INFER, asked, pixels_request


def test_a_service_that_is_away_is_503_and_comes_back(repository, folder, serve, serve_web, pixels, free_port):
    publish(repository, seed=1)
    first = serve(folder, port=free_port)
    server = serve_web(first.address)
    request = pixels_request(pixels[None])
    assert asked(server, "POST", INFER, request)[0] == 200
    first.end()
    for method, path, body in (("POST", INFER, request), ("GET", "/v2/health/live", None), ("GET", "/v2", None)):
        status, found = asked(server, method, path, body)
        assert (status, "cannot be reached" in found["error"]) == (503, True)
        assert first.address not in found["error"], "where the service runs is nobody's business"
    serve(folder, port=free_port)
    eventually(lambda: asked(server, "POST", INFER, request)[0] == 200)


def test_a_service_without_a_model_is_503_with_its_sentence(folder, serve, serve_web, pixels):
    server = serve_web(serve(folder).address)
    status, found = asked(server, "POST", INFER, pixels_request(pixels[None]))
    assert (status, "no model is loaded yet" in found["error"]) == (503, True)
    assert asked(server, "GET", "/v2/health/live")[0] == 200
    assert asked(server, "GET", "/v2/health/ready")[0] == 503


def test_what_the_service_refuses_for_its_size_is_413(repository, folder, serve, serve_web):
    publish(repository, seed=1)
    server = serve_web(serve(folder, max_picture_bytes=1024, max_batch=1).address)
    status, found = asked(server, "POST", INFER, b"\x89PNG" + bytes(5000))
    assert (status, list(found)) == (413, ["error"])
    status, found = asked(server, "POST", INFER, b"\x89PNG" + bytes(500_000))
    assert (status, "larger than the service accepts" in found["error"]) == (413, True)
