"""Files and folders that may not be read, also where the tests run as root, which may read everything."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def forbid(path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Take every permission from a path. For root, opening and listing it fail as they do for others.

    Returns:
        Gives the permissions back.
    """
    mode = path.stat().st_mode
    path.chmod(0)
    barred = [path]
    for name in ("open", "scandir"):
        truly = getattr(os, name)

        def guarded(target: Any, *arguments: Any, truly: Any = truly) -> Any:
            if not isinstance(target, int) and any(Path(target).is_relative_to(each) for each in barred):
                raise PermissionError(13, "Permission denied", os.fspath(target))
            return truly(target, *arguments)

        monkeypatch.setattr(f"core.artifact.folder.os.{name}", guarded)

    def allow() -> None:
        path.chmod(mode)
        barred.clear()

    return allow
