"""The OpenAPI document is valid, says what is served, and each of its examples is answered as it says."""

import json
import re
import subprocess
import sys
from html import unescape

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource

from service.web.rest.openapi import openapi_document
from service.web.rest.openapi_operations import DESCRIBED, ERRORS
from service.web.rest.places import OPERATIONS, place_of
from tests.service.harness import ROOT
from tests.service.tiny_model import publish
from tests.service.web.rest.asking import INFER, asked, load

DOCUMENT = openapi_document("1.2.3")


@pytest.fixture
def answered(service, repository, web_server):
    """A web server whose service has two versions, of which 1 is the champion."""
    publish(repository, seed=2, promote=False)
    load(web_server, 2)
    return web_server


@pytest.fixture
def pretrained(serve, serve_web, tmp_path):
    """A web server before the version that ships with Numeral."""
    return serve_web(serve(tmp_path / "empty", pretrained=str(ROOT / "pretrained")).address)


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path.replace("{model}", "mnist").replace("{version}", "1"), method.upper(), operation


def check(schema, document):
    registry = Registry().with_resource("urn:openapi", Resource.opaque(DOCUMENT))
    whole = json.loads(json.dumps(schema).replace('"#/', '"urn:openapi#/'))
    Draft202012Validator(whole, registry=registry).validate(document)


def test_the_document_is_valid_openapi():
    validate(DOCUMENT)


def test_it_is_served(web_server):
    response, body = web_server.ask("GET", "/openapi.json")
    assert (response.status, response.headers["content-type"]) == (200, "application/json")
    found = json.loads(body)
    assert (found["paths"], found["openapi"]) == (json.loads(json.dumps(DOCUMENT["paths"])), "3.1.0")


def test_every_operation_is_described_and_every_description_is_of_one():
    assert DESCRIBED.keys() == {operation for _, operation in OPERATIONS.values()}
    for path, method, _ in operations():
        assert place_of(method, path)
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


def test_every_operation_without_a_body_answers_as_its_schema_says(answered):
    for path, method, operation in operations():
        if "requestBody" in operation:
            continue
        status, found = asked(answered, method, path)
        content = operation["responses"]["200"].get("content")
        assert (status, content is None) == (200, found is None), path
        if content:
            check(content["application/json"]["schema"], found)


def test_every_example_is_valid_and_answered_as_its_schema_says(answered):
    count = 0
    for path, method, operation in operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for example in content.get("examples", {}).values():
                count += 1
                check(content["schema"], example["value"])
                if path.endswith("/unload"):  # last, and again what it was
                    assert asked(answered, method, path, example["value"]) == (200, None)
                    assert asked(answered, method, path.replace("unload", "load"), {}) == (200, None)
                    continue
                status, found = asked(answered, method, path, example["value"])
                assert status == 200, (path, found)
                if "content" in operation["responses"]["200"]:
                    check(operation["responses"]["200"]["content"]["application/json"]["schema"], found)
    assert count >= 11


def test_its_ones_are_read_as_ones(pretrained):
    for example in DESCRIBED["infer"].takes["application/json"]["examples"].values():
        _, found = asked(pretrained, "POST", INFER, example["value"])
        outputs = {each["name"]: each["data"] for each in found["outputs"]}
        assert outputs.get("digit", [1]) == [1]
        if isinstance(outputs.get("probabilities", [0.0])[0], str):
            assert outputs["probabilities"][0].endswith(":1:1")


def test_the_answer_for_people_is_as_its_schema_says(pretrained):
    status, found = asked(pretrained, "POST", INFER, (ROOT / "examples/seven.png").read_bytes())
    assert status == 200
    check(DOCUMENT["components"]["schemas"]["Answer"], found)


def test_errors_are_as_their_schema_says_and_their_statuses_are_listed(answered):
    for method, path, body, status in (
        ("POST", INFER, b"{", 400),
        ("GET", "/v2/models/other", None, 404),
        ("GET", INFER, None, 405),
        ("POST", INFER, b"x" * (16 << 20), 413),
    ):
        found, document = asked(answered, method, path, body)
        assert (found, found in ERRORS) == (status, True)
        check(DOCUMENT["components"]["schemas"]["Error"], document)


@pytest.mark.parametrize("lang", ["en", "de"])
def test_the_page_shows_every_address_and_links_nowhere_else(web_server, lang):
    response, body = web_server.ask("GET", f"/api?lang={lang}")
    page = body.decode()
    assert response.status == 200
    for path in DOCUMENT["paths"]:
        assert path in page
    assert set(re.findall(r'(?:href|src)="(https?:[^"]*)"', page)) == set()
    names = re.findall(r'href="#([^"]*)"', page)
    assert all(f'id="{name}"' in page for name in names)
    assert not re.search(r"<style|style=|<script(?! type=.application/json)|\son\w+=", page)


def test_the_examples_on_the_page_run_as_they_stand(pretrained):
    page = pretrained.ask("GET", "/api")[1].decode()
    examples = re.findall(r'<code data-language="(\w+)" data-example="(\w+)">(.*?)</code>', page, re.DOTALL)
    assert {name for _, name, _ in examples} == {"curl", "json", "python", "triton"}
    runners = {"sh": ["sh", "-c"], "python": [sys.executable, "-c"]}
    for language, name, code in examples:
        done = subprocess.run(
            [*runners[language], unescape(code)], capture_output=True, text=True, cwd=ROOT, check=False
        )
        assert done.returncode == 0, done.stderr
        wanted = {"curl": '"digit":7', "json": '"data":[7]', "python": "7 ", "triton": "[1]"}[name]
        assert wanted in done.stdout
