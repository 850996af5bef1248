"""Where a browser goes after signing in: to the page that was asked for, and never to another site."""

import re
from urllib.parse import quote

__all__ = ["HOME", "return_path", "sign_in_path"]

HOME = "/models"
"""Where it goes if no page was asked for."""

_OURS = re.compile(r"/(?:models|feedback)(?:[/?][!-~]*)?")
"""Pages for administrators: a path from the root, without a host, of printable ASCII."""


def return_path(text: str) -> str:
    """The path if it is one of the pages for administrators, else the first of these.

    Browsers read `//host`, `/\\host` and paths with control characters as other sites. None of these begins as ours do.
    """
    return text if len(text) <= 1000 and "\\" not in text and _OURS.fullmatch(text) else HOME


def sign_in_path(after: str, why: str = "") -> str:
    """The path of the page for signing in.

    Args:
        after: Where to go afterwards.
        why: Why it is shown: "ended" or "refused".
    """
    return f"/sign-in?next={quote(after, safe='/')}" + (f"&why={why}" if why else "")
