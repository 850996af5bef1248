"""Sphinx's settings: `make docs` builds README.md, docs/ and the API into build/docs."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE)]

from core.command_line import software_version  # noqa: E402 — found through the line above

project = "Numeral"
version = release = software_version()
html_title = f"Numeral {version}"
html_theme = "furo"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "docstrings", "mathml", "source_pages"]
exclude_patterns = ["docs/images/**"]

# The pages are written for the code host, which shows these as well: see docs/guide.
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 6
html_math_renderer = "mathml"
highlight_language = "text"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
napoleon_use_ivar = True
toc_object_entries = False
suppress_warnings = [
    "misc.highlighting_failure",  # a command whose quotes go over several lines: it stays without colors
    "ref.python",  # a word between backticks that names two things: it stays without a link
]
default_role = "py:obj"
"""What stands between backticks in a docstring: a link, if it names something that is documented; code otherwise."""
