"""The languages of the pages: the same words in each, and which of them is chosen."""

import re
import string
from collections import Counter

import pytest

from service.web.languages import COOKIE, DEFAULT, NAMES, Languages, accepted
from service.web.site import HERE

WORDS = {lang: Languages(HERE / "words").under(lang, "") for lang in NAMES}


def _sources() -> str:
    files = [path for kind in ("*.j2", "*.py", "*.js") for path in HERE.rglob(kind)]
    return "\n".join(path.read_text("utf-8") for path in files)


def placeholders(text: str) -> Counter[str]:
    return Counter(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def test_every_part_has_its_words_in_every_language():
    files = sorted((HERE / "words").iterdir())
    parts = {file.name.partition(".")[0] for file in files}
    assert {file.name for file in files} == {f"{part}.{lang}.json" for part in parts for lang in NAMES}
    for file in files:
        part, lang, _ = file.name.split(".")
        words = Languages(HERE / "words").under(lang, "")
        assert words, part


@pytest.mark.parametrize("lang", sorted(set(NAMES) - {DEFAULT}))
def test_a_language_has_the_same_keys_and_placeholders_as_english(lang):
    import json

    for file in (HERE / "words").glob(f"*.{DEFAULT}.json"):
        english = json.loads(file.read_text("utf-8"))
        other = json.loads(file.with_name(file.name.replace(f".{DEFAULT}.", f".{lang}.")).read_text("utf-8"))
        assert other.keys() == english.keys()
        for key, text in english.items():
            assert placeholders(other[key]) == placeholders(text), key
            assert other[key].strip() == other[key] != "", key


def test_every_key_is_used_somewhere():
    sources = _sources()

    def used(key: str) -> bool:
        beginnings = [key[: end + 1] for end, character in enumerate(key) if character == "."][1:]
        return any(f'"{text}' in sources and f'"{text}"' in sources for text in (key, *beginnings))

    assert [key for key in WORDS[DEFAULT] if not used(key)] == []


def test_every_word_that_a_template_asks_for_exists():
    asked = set(re.findall(r"\bt\(\s*\"([a-z0-9_]+\.[a-z0-9_.]+)\"\s*[,)]", _sources()))
    assert asked
    assert asked - WORDS[DEFAULT].keys() == set()


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("fr-CH, fr;q=0.9, de;q=0.7, *;q=0.5", "de"),
        ("fr, it;q=0.5", "en"),
        ("de;q=0", "en"),
        ("DE", "de"),
        ("en;q=0.1, de;q=0.2", "de"),
        ("de;q=nonsense, en;q=0.5", "en"),
        ("de;q=nan", "en"),
        ("," * 5000 + "de", "en"),
    ],
)
def test_the_browser_says_which_language_its_user_reads(header, lang):
    assert accepted(header) == lang


def test_a_choice_beats_the_cookie_and_the_cookie_beats_the_browser(web_server):
    def language(path: str, **headers: str) -> str | None:
        response, body = web_server.ask("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        assert f'<html lang="{response.getheader("content-language")}"'.encode() in body
        return response.getheader("content-language")

    assert language("/") == "en"
    assert language("/", Accept_Language="de") == "de"
    assert language("/", Accept_Language="de", Cookie=f"{COOKIE}=en") == "en"
    assert language("/?lang=de", Accept_Language="en", Cookie=f"{COOKIE}=en") == "de"
    assert language("/?lang=xx", Cookie=f"{COOKIE}=<script>") == "en"


def test_a_choice_is_remembered_and_a_visit_alone_is_not(web_server):
    assert web_server.ask("GET", "/")[0].getheader("set-cookie") is None
    cookie = web_server.ask("GET", "/?lang=de")[0].getheader("set-cookie")
    assert cookie.startswith("lang=de; ")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert web_server.ask("GET", "/?lang=%3Cb%3E")[0].getheader("set-cookie") is None


def test_the_other_language_is_one_click_away_and_keeps_the_rest_of_the_address(web_server):
    page = web_server.ask("GET", "/nowhere?page=%22%3E%3Cb%3E&lang=de")[1].decode()
    assert 'href="?page=%22%3E%3Cb%3E&amp;lang=en"' in page
    assert 'href="?page=%22%3E%3Cb%3E&amp;lang=de" lang="de" hreflang="de" aria-current="true"' in page
    # A path that begins with two slashes is not taken for another host.
    assert 'href="?lang=en"' in web_server.ask("GET", "//evil.example/")[1].decode()


def test_words_that_two_files_have_are_a_mistake(tmp_path):
    (tmp_path / "a.en.json").write_text('{"x": "1"}')
    (tmp_path / "b.en.json").write_text('{"x": "2"}')
    with pytest.raises(ValueError, match="b.en.json: x has words in another file"):
        Languages(tmp_path)
