"""A process of its own for an unchanged tritonclient: see `tests.service.api.inference.triton`."""

import importlib
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any


class TritonClient:
    """Calls functions of `tests.service.api.inference.triton` by name."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def __call__(self, function: str, *arguments: Any, **options: Any) -> Any:
        return self._pool.submit(_call, function, arguments, options).result(120)


@contextmanager
def tritonclient() -> Iterator[TritonClient]:
    """The client, until the block ends."""
    # Spawned, not forked: what this process has imported must not be there.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield TritonClient(pool)


def _call(function: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return getattr(importlib.import_module("tests.service.api.inference.triton"), function)(*arguments, **options)
