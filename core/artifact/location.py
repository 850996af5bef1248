"""Where a repository lies: the one place that reads what people write after `--repository`, for both sides.

Two things are meant by it: a folder, written as programs are used to (`./models`, `/data/models`), and a URL
(`file:///data/models`, `s3://bucket/models`). What could be either, or neither, is refused with what to write instead:
guessing would publish into a folder that nobody looks at.

Nothing is looked up: the folder need not exist, and links in its name are not resolved, because a deployment that swaps
a link means the name, and not what it led to when the program was started.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from core.errors import ConfigError

__all__ = ["MEMORY", "Location"]

MEMORY = "memory://"
"""The repository that ends with the process, for tests."""

_BUCKETS = ("s3", "gs", "az")
"""The schemes of stores that create an object only if it is absent, as local disks do."""

_EXPECTED = "expected a folder such as ./models, or file:///… or s3://…"
_LONGEST = 4096
_LONGEST_QUOTE = 40

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USER = re.compile(r"//[^/@]*@")
_WRONG_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%00|%2f", re.IGNORECASE)


@dataclass(frozen=True)
class Location:
    """Where a repository lies.

    Attributes:
        url: `file:///…`, `s3://bucket/…` or `memory://`, without a slash at its end.
        folder: The folder, an absolute path; None unless it is one.
    """

    url: str
    folder: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what a user wrote.

        Raises:
            ConfigError: It names no repository, or may mean more than one.
        """
        if not text or len(text) > _LONGEST:
            raise _refusal(text, "it has no or too many characters")
        if text != text.strip() or _CONTROL.search(text):
            raise _refusal(text, "it begins or ends with a blank, or holds a line break or another control character")
        scheme = _SCHEME.match(text)
        if scheme is None:
            if "://" in text:
                raise _refusal(text, "its scheme is missing")
            return cls._of_path(text)
        name = scheme[1].lower()
        if len(name) == 1:
            raise _refusal(text, "it looks like a drive of Windows, which this system does not have")
        if name == "file":
            return cls._of_file(text)
        if not text[scheme.end() :].startswith("//"):
            raise _refusal(text, f"two slashes are missing behind {_short(name)}:", _if_folder(text, name))
        if name == "memory" and text.lower().rstrip("/") == "memory:":
            return cls(MEMORY)
        if name in _BUCKETS:
            return cls._of_bucket(text)
        raise _refusal(text, f"there is no store for {_short(name)}://, only for {', '.join(_BUCKETS)} and file")

    @classmethod
    def _of_path(cls, text: str) -> Self:
        """A path is taken as it is, character by character."""
        if text.startswith(("~", "$")):
            raise _refusal(text, f"no shell has expanded {text[0]}", f"write the whole path; {_if_folder(text)}")
        if "\\" in text:
            raise _refusal(text, "it has a backslash", "write / between folders")
        return cls._of_folder(_absolute(text))

    @classmethod
    def _of_file(cls, text: str) -> Self:
        path = text.partition(":")[2]
        if not path.startswith("/") or path == "//":
            raise _refusal(text, "a file URL names a folder from the root on", _if_folder(path.strip("/")))
        parts = _split(text)
        if parts.netloc.lower() not in ("", "localhost"):
            raise _refusal(text, f"it names the host {_short(parts.netloc)}", "write file:///… with three slashes")
        try:
            return cls._of_folder(Path(unquote(parts.path, errors="strict")))
        except UnicodeDecodeError:
            raise _refusal(text, "its escapes with % are not UTF-8") from None

    @classmethod
    def _of_folder(cls, folder: Path) -> Self:
        folder = Path("/", *folder.parts[1:])  # POSIX lets a path begin with two slashes; as_uri would name a host
        return cls(folder.as_uri(), folder)

    @classmethod
    def _of_bucket(cls, text: str) -> Self:
        parts = _split(text)
        if not parts.netloc:
            raise _refusal(text, "its bucket is missing", f"write {parts.scheme}://BUCKET/FOLDER")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", parts.netloc):
            raise _refusal(
                text, "its bucket is not a plain name", "a key, a port or an endpoint belongs in the environment"
            )
        if "//" in parts.path:
            raise _refusal(text, "it has a part without a name", "write one slash between parts")
        prefix = parts.path.strip("/")
        return cls(f"{parts.scheme}://{parts.netloc}" + (f"/{prefix}" if prefix else ""))

    def __str__(self) -> str:
        """As people write it: the path of a folder, or else the URL."""
        return self.url if self.folder is None else str(self.folder)


def _split(text: str) -> SplitResult:
    """The parts of a URL that has a path, and nothing behind it."""
    try:
        parts = urlsplit(text)
    except ValueError as error:  # brackets that are no IPv6 address
        raise _refusal(text, str(error)) from None
    if "?" in text or "#" in text:
        raise _refusal(text, "a URL of a repository has neither ? nor #", "in the name of a folder they are %3F, %23")
    if _WRONG_ESCAPE.search(parts.path):
        raise _refusal(text, "it has an escape with % that stands for no character of a name", "% itself is %25")
    if {".", ".."} & set(unquote(parts.path).split("/")):
        raise _refusal(text, "it has a part . or ..", "write the folder that is meant")
    return parts


def _absolute(text: str) -> Path:
    """The absolute path: `..` leads where the system would go, and what follows it keeps the names of its links."""
    parts = (Path(text) if text.startswith("/") else Path.cwd() / text).parts
    if ".." not in parts:
        return Path(*parts)
    end = len(parts) - parts[::-1].index("..")
    return Path(os.path.realpath(Path(*parts[:end])), *parts[end:])  # it does not fail at a loop of links


def _if_folder(path: str, scheme: str = "") -> str:
    """What to write for a folder with this path, or for a bucket if the scheme is that of one."""
    if scheme in _BUCKETS:
        return f"write {scheme}://BUCKET/FOLDER; for a folder of this name, ./{_short(path)}"
    return f"for a folder of this name, write ./{_short(path)}" if path else _EXPECTED


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"


def _refusal(text: str, finding: str, advice: str = _EXPECTED) -> ConfigError:
    public = _USER.sub("//…@", text)  # errors are logged, and what stands before @ may be a key
    return ConfigError(f"{_short(public)!r} names no repository: {finding}; {advice}")
