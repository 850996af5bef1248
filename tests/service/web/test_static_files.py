"""Static files: addresses, caching, compression, and what is no file."""

import gzip
import re

import pytest

from service.web.site import HERE
from service.web.static_files import StaticFiles

FIRST_VISIT = 150_000
"""Bytes that the first visit of a page may take in all."""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "draw").mkdir()
    (tmp_path / "draw/page.js").write_text("import './other.js'\n" * 100)
    (tmp_path / "draw/other.js").write_text("1")
    (tmp_path / "secret.pem").write_text("no kind of file that is served")
    return tmp_path


def test_the_address_of_a_file_changes_with_the_contents_of_any(files):
    before = StaticFiles(files)
    assert re.fullmatch(r"/static/[0-9a-f]{12}/draw/page.js", before.url("draw/page.js"))
    assert StaticFiles(files).digest == before.digest
    (files / "draw/other.js").write_text("2")
    assert StaticFiles(files).digest != before.digest


@pytest.mark.parametrize("name", ["secret.pem", "draw", "draw/../draw/page.js", "nowhere.css", ""])
def test_a_name_that_is_no_static_file_has_no_address(files, name):
    with pytest.raises(KeyError):
        StaticFiles(files).url(name)


def test_a_file_is_kept_for_ever_and_comes_packed_for_those_who_take_that(web_server):
    path = StaticFiles(HERE / "static").url("base.css")
    plain, text = web_server.ask("GET", path)
    assert (plain.status, plain.getheader("content-encoding")) == (200, None)
    assert plain.getheader("content-type") == "text/css; charset=utf-8"
    assert plain.getheader("cache-control") == "public, max-age=31536000, immutable"
    packed, bytes_ = web_server.ask("GET", path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert (packed.getheader("content-encoding"), gzip.decompress(bytes_)) == ("gzip", text)
    assert packed.getheader("vary") == plain.getheader("vary") == "Accept-Encoding"
    for refused in ("gzip;q=0", "br", "identity", "*;q=0, br"):
        assert web_server.ask("GET", path, headers={"Accept-Encoding": refused})[1] == text
    head, nothing = web_server.ask("HEAD", path)
    assert (head.status, head.getheader("content-length"), nothing) == (200, str(len(text)), b"")


@pytest.mark.parametrize(
    "path",
    [
        "/static/{digest}/", "/static/{digest}", "/static/", "/static", "/static/000000000000/base.css",
        "/static/{digest}/../site.py", "/static/{digest}/..%2fsite.py", "/static/{digest}/%2e%2e/site.py",
        "/static/{digest}//etc/passwd", "/static/{digest}/base.css%00", "/static/{digest}/BASE.CSS",
    ],
)  # fmt: skip
def test_no_other_path_gives_a_file(web_server, path):
    response, body = web_server.ask("GET", path.format(digest=StaticFiles(HERE / "static").digest))
    assert response.status == 404
    assert response.getheader("cache-control") == "no-store"
    assert b"import" not in body


def test_browsers_and_robots_find_what_they_ask_for_by_name(web_server):
    icon, _ = web_server.ask("GET", "/favicon.svg")
    robots, text = web_server.ask("GET", "/robots.txt")
    assert (icon.status, icon.getheader("content-type")) == (200, "image/svg+xml")
    assert (robots.status, text) == (200, b"User-agent: *\nDisallow: /\n")


def test_a_first_visit_is_small(web_server):
    page = web_server.ask("GET", "/")[1]
    wanted, seen, size = [path.decode() for path in _addresses(page)], set(), len(page)
    while wanted:
        path = wanted.pop()
        if path in seen:
            continue
        seen.add(path)
        response, body = web_server.ask("GET", path, headers={"Accept-Encoding": "gzip"})
        assert response.status == 200, path
        size += len(body)
        if path.endswith(".js"):  # modules name each other
            text = gzip.decompress(body) if response.getheader("content-encoding") == "gzip" else body
            folder = path.rpartition("/")[0]
            wanted += [f"{folder}/{name.decode()}" for name in re.findall(rb"from\s+[\"']\./([^\"']+)", text)]
    assert "/favicon.svg" in seen
    assert size <= FIRST_VISIT


def _addresses(page: bytes) -> list[bytes]:
    return re.findall(rb"(?:src|href)=\"(/(?:static/[^\"]+|favicon.svg))\"", page)
