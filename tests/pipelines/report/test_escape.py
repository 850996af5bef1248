"""Values as TOML on one line."""

import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.report.escape import toml

values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(values)
def test_what_is_written_as_toml_is_read_back(value: Any) -> None:
    assert tomllib.loads(f"value = {toml(value)}") == {"value": value}


def test_the_control_character_that_json_does_not_escape_is_escaped() -> None:
    assert toml({"\x7f": "a\x7f"}) == '{"\\u007f" = "a\\u007f"}'
