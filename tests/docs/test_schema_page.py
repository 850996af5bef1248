"""docs/schema: it is about the schema that there is. `test_blocks.py` runs its code."""

import json

from core.artifact.schema import SCHEMA
from tests.docs.pages import ROOT

PAGE = ROOT / "docs/schema/README.md"


def test_the_page_names_the_schema_by_its_file_and_its_identifier():
    text = PAGE.read_text("utf-8")
    assert SCHEMA.name in text
    assert json.loads(SCHEMA.read_bytes())["$id"] in text
