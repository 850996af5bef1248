"""The pages about versions, with a real service."""

import json
from pathlib import Path

import pytest

from core.artifact.verdict import Check, Verdict
from service.client import Recognizer
from tests.patience import eventually
from tests.service.tiny_model import publish, weights_file
from tests.service.web.administration.conftest import ADMIN

HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"


def test_the_list_marks_the_served_version_and_says_why(admin, guarded):
    with Recognizer(guarded.address, token=ADMIN) as client:
        found = client.versions()
    assert found.serving == "2"
    assert found.why[1:] in admin.text
    assert admin.text.index('class="version is-served"') < admin.text.index('href="/models/1"')
    assert "50.00%" in admin.text
    assert '<span class="tag alias">champion</span>' in admin.text


def test_the_list_shows_the_history_of_the_champion(admin):
    assert "A new one" in admin.text
    assert '<td class="nowrap">tests</td>' in admin.text


def test_a_version_is_pinned_in_two_steps_and_the_policy_returns_in_two(admin, guarded):
    def serving() -> str:
        with Recognizer(guarded.address, token=ADMIN) as client:
            return client.versions().serving

    assert admin.get("/models/pin?version=1") == 200
    assert serving() == "2", "the first step asks"
    assert admin.post("/models/pin", admin.hidden()) == 303
    assert (admin.place, serving()) == ("/models", "1")
    admin.get("/models")
    assert "Version 1 is pinned and answers now." in admin.text
    admin.get("/models")
    assert "Version 1 is pinned and answers now." not in admin.text, "that is said once"
    assert admin.get("/models/pin") == 200
    assert admin.post("/models/pin", admin.hidden()) == 303
    eventually(lambda: serving() == "2")
    admin.get("/models")
    assert "The policy decides again." in admin.text


@pytest.mark.parametrize("version", ["99", HOSTILE, "x" * 5000, "../1"])
def test_a_version_that_does_not_exist_cannot_be_pinned(admin, version):
    assert admin.post("/models/pin", {"version": version, "csrf": admin.csrf}) == 303
    admin.get("/models")
    assert "Nothing has changed." in admin.text
    assert "<script>alert" not in admin.text


@pytest.mark.parametrize(
    "path", ["/models/99", "/models/99/report", "/models/%3Cscript%3E", "/models/..%2f1", "/models/pin?version=99"]
)
def test_a_version_that_does_not_exist_has_no_page(admin, path):
    assert admin.get(path) == 404
    assert "<script>alert" not in admin.text
    assert admin.get("/models") == 200


def test_the_page_of_a_version_shows_what_its_manifest_says(admin):
    assert admin.get("/models/1") == 200
    for words in ("A test wants it", "recipe tiny", "50.00%", "Digit by digit"):
        assert words in admin.text


def test_texts_of_a_manifest_are_escaped(admin, repository):
    verdict = Verdict(
        promote=False,
        reason=HOSTILE,
        parent=None,
        checks=(Check(name=HOSTILE, found=0, wanted=0, passed=None, words=HOSTILE),),
    )
    recipe = {"description": HOSTILE, HOSTILE: {HOSTILE: HOSTILE}}
    version = publish(repository, seed=3, promote=False, verdict=verdict, recipe_name=HOSTILE, recipe=recipe)
    eventually(lambda: admin.get("/models") == 200 and f'href="/models/{version}"' in admin.text)
    assert "<script>alert" not in admin.text
    assert admin.get(f"/models/{version}") == 200
    assert "&lt;script&gt;alert" in admin.text
    assert "<script>alert" not in admin.text
    assert "49" not in admin.text.split("&lt;script&gt;alert")[1][:60]


def test_texts_of_moves_are_escaped(admin, repository):
    repository.promote(1, by=HOSTILE, why=HOSTILE)
    eventually(lambda: admin.get("/models") == 200 and "&lt;script&gt;alert" in admin.text)
    assert "<script>alert" not in admin.text


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff" * 50, b"[" * 5000, b"{}", b'{"schema_version": 1}'])
def test_a_version_with_a_damaged_manifest_is_listed_with_its_trouble(admin, folder: Path, damage):
    manifest = weights_file(folder, 3).with_name("manifest.json")
    manifest.parent.mkdir()
    manifest.write_bytes(damage)
    eventually(lambda: admin.get("/models") == 200 and "unreadable" in admin.text)
    assert admin.get("/models/3") == 200
    assert admin.get("/models/3/report") == 409


def test_a_manifest_with_absurd_values_fails_no_page(admin, folder: Path):
    document = json.loads(weights_file(folder, 1).with_name("manifest.json").read_bytes())
    document["test"]["accuracy"] = 1e300
    document.pop("digest")
    manifest = weights_file(folder, 3).with_name("manifest.json")
    manifest.parent.mkdir()
    manifest.write_text(json.dumps(document))
    eventually(lambda: admin.get("/models") == 200 and 'href="/models/3"' in admin.text)
    assert admin.get("/models/3") == 200


def test_the_list_in_german_has_german_numbers(admin):
    admin.get("/models?lang=de")
    assert "50,00\N{NO-BREAK SPACE}%" in admin.text
    assert "Geschichte des Champions" in admin.text
