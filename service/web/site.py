"""What every page shares: the templates, the words in each language, and the static files."""

from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from service.web.languages import COOKIE, NAMES, Languages
from service.web.static_files import StaticFiles

__all__ = ["Site"]

HERE = Path(__file__).parent

_YEAR = 365 * 86_400


class Site:
    """Renders pages."""

    def __init__(self, csrf_of: Callable[[Request], str] = lambda _: "") -> None:
        """Read all templates, words and static files.

        Args:
            csrf_of: The string that forms of this browser's session carry; "" for a browser that is not signed in.
        """
        self.languages = Languages(HERE / "words")
        self.static = StaticFiles(HERE / "static")
        self._csrf_of = csrf_of
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.globals |= {"static": self.static.url, "languages": NAMES, "software": _software()}

    def page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page, in the language that the request asks for.

        Besides what it is given, a template knows `t("key", name=value)`, the translated text; `words("prefix.")`, all
        of them as a dictionary for scripts; `static("name")`, the address of a static file; `lang`; `csrf` and
        `signed_in`; and `request`.

        Args:
            request: Says in which language.
            template: The name of a file in templates/.
            status: The HTTP status.
            **values: What the template shows; text is escaped.
        """
        lang = self.languages.wanted(request)
        csrf = self._csrf_of(request)
        shared = {
            "request": request,
            "lang": lang,
            "t": partial(self.languages.text, lang),
            "words": partial(self.languages.under, lang),
            "language_links": {code: _in(request, code) for code in NAMES},
            "csrf": csrf,
            "signed_in": bool(csrf),
        }
        page = HTMLResponse(self._templates.get_template(template).render(shared | values), status)
        page.headers["Content-Language"] = lang
        page.headers["Vary"] = "Accept-Language, Cookie"
        # Forms send where they come from to this server alone. Without that, browsers would call it "null", and so it
        # could not be told from another site's; see `service.web.security.cross_site`.
        page.headers["Referrer-Policy"] = "same-origin"
        # What only an administrator may see is kept by nobody; everything else is asked for again, as it may change.
        page.headers["Cache-Control"] = "no-store" if csrf or status != 200 else "private, no-cache"
        if self.languages.chosen(request):
            secure = request.url.scheme == "https"
            page.set_cookie(COOKIE, lang, max_age=_YEAR, httponly=True, samesite="lax", secure=secure)
        return page


def _in(request: Request, lang: str) -> str:
    """The address of this page in a language. It names no path: one that begins with // would be another host's."""
    if request.method not in ("GET", "HEAD"):  # what was sent is not sent again
        return f"/?lang={lang}"
    return "?" + urlencode([*((k, v) for k, v in request.query_params.multi_items() if k != "lang"), ("lang", lang)])


def _software() -> str:
    """The version of Numeral; "" if it runs from its sources."""
    try:
        return installed("numeral")
    except PackageNotFoundError:
        return ""
