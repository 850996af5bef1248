"""Links of the pages to files and folders of the project lead to pages that show them; links to elsewhere are listed.

On the code host such a link opens the file. Here, each file that is linked becomes a page with its text, and each
folder a page with a list of its files. `external-links.txt`, beside the pages, has the addresses that need the
internet: they are not asked.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from docutils import nodes
from pygments.lexers import guess_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.osutil import relative_uri

from core.shipped import ROOT

ANCHOR = re.compile(r'<a id="([^"]+)">')
FOLDER = "source"
LARGEST = 200_000
"""Bytes of a file that is shown."""


def _page(path: Path) -> str:
    return f"{FOLDER}/{path.relative_to(ROOT)}"


def _is_text(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size <= LARGEST and bool(path.read_text("utf-8"))
    except UnicodeDecodeError:
        return False


def _shown(folder: Path) -> Iterator[Path]:
    """The files of a folder that have a page."""
    return (path for path in sorted(folder.iterdir()) if not path.name.startswith(".") and _is_text(path))


class Sources(SphinxPostTransform):
    """Leads each link that names a file or a folder of the project to its page."""

    default_priority = 5  # before MyST's, which finds no document there

    def run(self, **_: Any) -> None:
        """Replace the links of a page, and note which files they name."""
        page = Path(self.env.docname).parent
        for link in list(self.document.findall(addnodes.pending_xref)):
            if link.get("reftype") != "myst" or link.get("refdomain"):
                continue
            path = (ROOT / page / unquote(link["reftarget"].partition("#")[0])).resolve()
            if not path.is_relative_to(ROOT) or not (path.is_dir() or _is_text(path)):
                continue
            self.env.metadata[self.env.docname].setdefault("sources", set()).add(str(path))
            target = self.app.builder.get_relative_uri(self.env.docname, _page(path))
            link.replace_self(nodes.reference("", "", *link.children, refuri=target, internal=True))


class Anchors(SphinxTransform):
    """Lets links lead to `<a id="…">`, which MyST takes for any HTML."""

    default_priority = 500  # before MyST resolves the links within a page

    def apply(self, **_: Any) -> None:
        """Note the anchors of a page as if they were headings."""
        slugs = self.env.metadata[self.env.docname].get("myst_slugs")
        if slugs is None:  # no page in Markdown
            return
        for node in self.document.findall(nodes.raw):
            for name in ANCHOR.findall(node.astext()):
                for known in (slugs, self.document.myst_slugs):
                    known[name] = (node.line, name, "")


def _noted(app: Sphinx) -> set[Path]:
    linked = {Path(path) for data in app.env.metadata.values() for path in data.get("sources", ())}
    return linked | {file for folder in linked if folder.is_dir() for file in _shown(folder)}


def _pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The page of each file and folder that is linked."""
    highlighter = getattr(app.builder, "highlighter", None)
    for path in sorted(_noted(app)):
        name = _page(path)
        if path.is_dir():
            items = [
                f'<li><a href="{relative_uri(name + ".html", _page(file) + ".html")}">{file.name}</a></li>'
                for file in _shown(path)
            ]
            body = f"<ul>{''.join(items)}</ul>"
        else:
            text = path.read_text("utf-8")
            try:
                language = guess_lexer_for_filename(path.name, text).aliases[0]
            except (ClassNotFound, IndexError):
                language = "text"
            body = highlighter.highlight_block(text, language, linenos="inline") if highlighter else ""
        title = str(path.relative_to(ROOT))
        yield name, {"title": title, "body": f"<h1>{title}</h1>{body}"}, "page.html"


def _list_external(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    found = set()
    for name in app.env.found_docs:
        links = app.env.get_doctree(name).findall(nodes.reference)
        found |= {link["refuri"] for link in links if link.get("refuri", "").startswith(("http://", "https://"))}
    Path(app.outdir, "external-links.txt").write_text("".join(f"{link}\n" for link in sorted(found)), "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what is said above."""
    app.add_transform(Anchors)
    app.add_post_transform(Sources)
    app.connect("html-collect-pages", _pages)
    app.connect("build-finished", _list_external)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
