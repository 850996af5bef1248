"""Text for terminals, of which some print no more than ASCII, and none prints everything that a file may be called."""

import codecs
import io
import sys

__all__ = ["accept_any_text", "printable"]

IN_ASCII = dict(zip("█×·•µ–—−‘’“”", "#x.*u---''\"\"", strict=True)) | {
    "…": "...",
    "→": "->",
    "←": "<-",
    "≥": ">=",
    "≤": "<=",
    "±": "+-",
}
"""What is printed for the characters of our own output where they cannot be."""

_HANDLER = "numeral.in_ascii"


def accept_any_text() -> None:
    """Let standard output and standard error print what their encoding lacks in another way, rather than fail.

    Characters that Numeral prints by itself become similar ones of ASCII; all others become escapes such as `\\u00e4`.
    """
    codecs.register_error(_HANDLER, _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not what a test has put in its place
            stream.reconfigure(errors=_HANDLER)


def printable(text: str) -> str:
    """A text on one line, without anything that a terminal would obey: what cannot be printed is an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(IN_ASCII.get(c) or c.encode("ascii", "backslashreplace").decode("ascii") for c in lacking), error.end
