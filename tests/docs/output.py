"""Whether what a page shows is what happened."""

import re

__all__ = ["matches"]


def matches(shown: str, happened: str) -> bool:
    """Whether a text is the one that is shown, in which … stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, shown.split("…"))), happened, re.DOTALL) is not None
