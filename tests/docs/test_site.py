"""tools/docs: the pages as a web site. `make docs` builds it; here it is built if the extra `docs` is installed."""

import fcntl
import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import PAGES, ROOT, label

for needed in ("furo", "latex2mathml", "myst_parser", "sphinx"):
    pytest.importorskip(needed, reason="needs the extra docs")

TOOLS = ROOT / "tools/docs"
RAW = re.compile(r"\$[^$]*\$|\\frac")


class Found(HTMLParser):
    """What a page links to, what it loads, and where in it a link may lead."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loaded, self.ids, self.tags = [], [], set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.add(tag)
        self.ids |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        self.loaded += [given[name] for name in ("src", "href") if tag != "a" and given.get(name)]


@pytest.fixture(scope="module")
def built(shared_folder):
    """The folder of the site, which the first process of a run that needs it builds."""
    out, complete = shared_folder / "site/docs", shared_folder / "site-is-complete"
    with (shared_folder / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            command = [sys.executable, TOOLS / "build.py", out]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
            assert done.returncode == 0, done.stderr
            complete.touch()
    return out


@pytest.fixture(scope="module")
def pages(built):
    """By path: what is in each page."""
    return {path: Found(path.read_text("utf-8")) for path in built.rglob("*.html")}


def test_every_page_of_the_documentation_is_there_and_so_are_the_packages_of_core(built):
    expected = [built / label(page).replace(".md", ".html") for page in PAGES]
    packages = [".".join(file.parent.relative_to(ROOT).parts) for file in ROOT.glob("core/*/__init__.py")]
    expected += [built / f"api/{name}.html" for name in ["core", "service.client", *packages]]
    assert [path for path in expected if not path.exists()] == []


def test_every_link_within_the_site_leads_somewhere(pages):
    nowhere = []
    for page, found in pages.items():
        for link in {*found.links, *found.loaded}:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            within = pages[target].ids if target in pages and parts.fragment else {unquote(parts.fragment)}
            if not target.exists() or unquote(parts.fragment) not in within:
                nowhere.append((page.name, link))
    assert nowhere == []


def test_a_page_that_is_opened_offline_loads_nothing_from_elsewhere(pages):
    loaded = {link for found in pages.values() for link in found.loaded}
    assert [link for link in loaded if urlsplit(link).scheme in ("http", "https")] == []


def test_formulas_are_mathml_and_answers_stay_folded(built, pages):
    page = built / "docs/guide/2a-forward-and-backward.html"
    assert {"math", "mfrac", "details", "summary"} <= pages[page].tags
    text = re.sub(r"<pre>.*?</pre>|<code.*?</code>", "", page.read_text("utf-8"), flags=re.DOTALL)
    assert RAW.findall(re.sub(r"<[^>]*>", "", text)) == []


def test_a_link_to_a_file_of_the_project_shows_it(built, pages):
    shown = built / "source/core/plain.py.html"
    assert "def " in re.sub(r"<[^>]*>", "", shown.read_text("utf-8"))
    folder = pages[built / "source/core/nn.html"]
    assert "nn/conv.py.html" in folder.links


def test_links_to_elsewhere_are_listed(built):
    listed = (built / "external-links.txt").read_text("utf-8").splitlines()
    assert "https://doi.org/10.1038/323533a0" in listed
    assert listed == sorted(set(listed))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[x](no-such-page.md)", "cross-reference target not found"),
        ("[x](#no-such-heading)", "cross-reference target not found"),
        ("![x](no-such-picture.png)", "image file not readable"),
        (r"$\nosuchcommand x$", "has a command that is not known"),
    ],
)
def test_what_leads_nowhere_or_cannot_be_shown_is_an_error(tmp_path, text, error):
    source = tmp_path / "source"
    source.mkdir()
    (source / "index.md").write_text(f"# Title\n\n{text}\n", "utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", TOOLS, source, tmp_path / "out"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode != 0
    assert error in done.stderr
