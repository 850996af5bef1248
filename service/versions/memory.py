"""How much memory is left, and whether a version fits into it: checked before its weights are fetched.

A process that takes more than its container's limit is killed, and with it the version that serves.
"""

from pathlib import Path

from core.artifact.manifest import WEIGHTS, Manifest
from service.errors import NotEnoughMemoryError

__all__ = ["left", "needed", "require"]

COPIES = 4
"""Copies of the weights while a version is loaded: the file, its arrays, the parameters and their gradients."""

SCRATCH = 32 * 1024 * 1024
"""Further bytes, for the layers' scratch arrays and for the calls that go on meanwhile."""

_MEGABYTE = 1024 * 1024


def require(manifest: Manifest, available: int | None) -> None:
    """Refuse a version that does not fit.

    Args:
        manifest: Gives the size of the weights.
        available: Bytes that are left; None if unknown.

    Raises:
        NotEnoughMemoryError: It does not fit.
    """
    wanted = needed(manifest)
    if available is not None and wanted > available:
        raise NotEnoughMemoryError(
            f"{manifest.name} {manifest.version}: takes up to {wanted / _MEGABYTE:,.0f} MB while it is loaded, "
            f"and {available / _MEGABYTE:,.0f} MB are left; raise the limit, or serve fewer versions at once"
        )


def needed(manifest: Manifest) -> int:
    """Bytes that a version takes at most while it is being loaded."""
    entry = manifest.files.get(WEIGHTS)
    return SCRATCH + COPIES * (entry.size if entry else 0)


def left(root: Path = Path("/")) -> int | None:
    """Bytes that this process may still take: the least that the machine and its control groups have left.

    Args:
        root: The folder that holds `proc` and `sys`.

    Returns:
        None if it cannot be told, on a system other than Linux.
    """
    found = [_of_machine(root / "proc/meminfo")]
    for line in _lines(root / "proc/self/cgroup"):
        number, controllers, path = line.split(":", 2)
        if number == "0":  # version 2
            found += _of_groups(root / "sys/fs/cgroup", path, ("memory.max", "memory.current", "inactive_file"))
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            found += _of_groups(root / "sys/fs/cgroup/memory", path, names)
    return min((bytes_left for bytes_left in found if bytes_left is not None), default=None)


def _of_machine(meminfo: Path) -> int | None:
    for line in _lines(meminfo):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _of_groups(mount: Path, path: str, names: tuple[str, str, str]) -> list[int | None]:
    """What each group from this one up to the root has left: the limit may be set on any of them.

    In a container, the path may be that on the host, of which only the root is visible.
    """
    folder = mount / path.lstrip("/")
    return [_of_group(group, *names) for group in (folder, *folder.parents) if group.is_relative_to(mount)]


def _of_group(group: Path, limit: str, usage: str, reclaimable: str) -> int | None:
    try:
        most, used = (int((group / name).read_text()) for name in (limit, usage))
    except (OSError, ValueError):  # no such group, or its limit is "max"
        return None
    # Usage includes cached pages of files not used lately, which the kernel reclaims when memory is needed.
    spare = (int(line.split()[1]) for line in _lines(group / "memory.stat") if line.startswith(f"{reclaimable} "))
    return max(0, most - used + sum(spare))


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
