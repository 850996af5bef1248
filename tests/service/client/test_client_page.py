"""docs/client.md: its examples run, and the names in it exist."""

import re

import pytest

from protos.numeral.v1.recognizer_pb2 import DESCRIPTOR
from service import client
from service.settings import Settings
from tests.service.harness import ROOT
from tests.service.tiny_model import publish

PAGE = (ROOT / "docs/client.md").read_text("utf-8")
WHOLE = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "localhost:8500" in block]


@pytest.mark.parametrize("block", [block for block in WHOLE if "async" not in block], ids=["client", "reflection"])
def test_an_example_prints_a_digit(repository, folder, serve, monkeypatch, capsys, block):
    publish(repository, seed=1)
    monkeypatch.chdir(ROOT)
    exec(block.replace("localhost:8500", serve(folder).address), {})
    assert re.match(r"[0-9]\b", capsys.readouterr().out)


def test_the_page_names_every_error_of_the_client_and_every_setting_of_feedback():
    errors = {name for name in client.__all__ if name.endswith("Error")}
    settings = {f"NUMERAL_{name.upper()}" for name in Settings.model_fields if name.startswith("feedback")}
    assert {name for name in errors | settings if f"`{name}`" not in PAGE} == set()


def test_the_page_names_no_method_that_does_not_exist():
    methods = {method.name for method in DESCRIPTOR.services_by_name["Recognizer"].methods}
    named = set(re.findall(r"numeral\.v1\.Recognizer/(\w+)", PAGE))
    assert named
    assert named <= methods
