"""The web server as a whole."""


def test_the_page_is_served(web_server):
    response, body = web_server.ask("GET", "/")
    assert (response.status, b"<html" in body.lower()) == (200, True)
