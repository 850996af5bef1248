"""Paths of this machine. A URL in the place of one is refused: it would become a folder that nobody looks for."""

import re
from pathlib import Path

from core.errors import ConfigError

__all__ = ["local_path"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def local_path(path: Path, place: str) -> Path:
    """The same path, if it is no URL.

    Args:
        path: What a user wrote. `Path` has made one slash of the two behind a scheme.
        place: Where it was written, such as "--output".

    Raises:
        ConfigError: It begins with a scheme, as s3://bucket/table.csv does.
    """
    scheme, *rest = path.parts or ("",)
    if not _SCHEME.fullmatch(scheme):
        return path
    if scheme.lower() == "file:":
        raise ConfigError(f"{place}: found a URL, file:///{'/'.join(rest)}, expected a path; write /{'/'.join(rest)}")
    raise ConfigError(
        f"{place}: found a URL, {scheme}//{'/'.join(rest)}, expected a path on this machine, as only --repository may "
        "name a bucket; copy what is there with the store's own tool (such as aws s3 cp), or mount the bucket"
    )
