"""What was collected, on disk: packed images, the account of them, and the list of what was set aside.

    <data_dir>/new-data/training-<digest>    what is trained on, as `Labeled.pack` packs it
    <data_dir>/new-data/held-out-<digest>    what is held out, the sources one after another
    <data_dir>/new-data/account-<digest>     a `NewDataProvenance`
    <data_dir>/new-data/set-aside.jsonl      what was set aside at the last run, a JSON object a line

The digests in the names let runs with different data share the folder, so no run removes what another may still read:
what has not been used for a week is removed at the next run.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np

from core.artifact.origin import NewDataProvenance, NewDataSource
from core.digit import LABELS
from pipelines.new_data.account import sentence
from pipelines.new_data.collected import Collected
from pipelines.new_data.held_out import divide, labeled
from pipelines.new_data.item import NewItem, SetAside
from pipelines.references import FileRef, NewDataRef

__all__ = ["framed_path", "keep", "reclaim"]

RECLAIMED_AFTER = 7 * 24 * 3600.0
"""Seconds without use after which a file is removed. No training takes as long."""

_SHOWN = 10
"""How many of the things that were set aside are shown as messages; the file has all."""


def framed_path(folder: Path, extra: Path) -> Path:
    """Where the framed files of a folder of new data are kept.

    Args:
        folder: `<data_dir>/new-data`.
        extra: The folder of new data.
    """
    return folder / f"framed-{hashlib.sha256(str(extra).encode(errors='surrogateescape')).hexdigest()[:16]}"


def keep(collected: Collected, share: float, folder: Path, say: Callable[[str], None]) -> NewDataRef:
    """Divide what was collected into what trains and what is held out; write both to disk, and say what there is.

    Args:
        collected: What may be learned from.
        share: To be held out, see `pipelines.new_data.held_out`.
        folder: `<data_dir>/new-data`.
        say: Receives each message.
    """
    training, apart = divide(collected.items, share)
    apart.sort(key=lambda item: collected.sources.index(item.source))  # stable: by name within a source
    packed, packed_apart = (labeled(items).pack() for items in (training, apart))
    training_ref = _store(folder, "training", packed) if training else None
    apart_ref = _store(folder, "held-out", packed_apart) if apart else None
    account = NewDataProvenance(
        images=len(training),
        sha256=training_ref.sha256 if training_ref else None,
        held_out_images=len(apart),
        held_out_sha256=apart_ref.sha256 if apart_ref else None,
        sources=tuple(_source(name, training, apart, collected) for name in collected.sources),
    )
    _list_set_aside(collected.set_aside, folder / "set-aside.jsonl", say)
    say(sentence(account))
    return NewDataRef(
        training=training_ref,
        held_out=apart_ref,
        account=_store(folder, "account", account.model_dump_json().encode()),
    )


def reclaim(folder: Path) -> None:
    """Remove what no run has used for a week."""
    oldest = time.time() - RECLAIMED_AFTER
    for path in folder.glob("*-*") if folder.is_dir() else ():
        with suppress(FileNotFoundError):  # another run was quicker
            if path.name != "set-aside.jsonl" and path.stat().st_mtime < oldest:
                path.unlink()


def _store(folder: Path, what: str, data: bytes) -> FileRef:
    return FileRef.store(folder / f"{what}-{hashlib.sha256(data).hexdigest()[:16]}", data)


def _source(name: str, training: Sequence[NewItem], apart: Sequence[NewItem], collected: Collected) -> NewDataSource:
    trains, held_out = ([item for item in items if item.source == name] for items in (training, apart))
    names = sorted(item.name for item in (*trains, *held_out))
    return NewDataSource(
        source=name,
        digits=_per_digit(trains),
        held_out=_per_digit(held_out),
        set_aside=sum(item.source == name for item in collected.set_aside),
        known=collected.known.get(name, 0),
        repeated=collected.repeated.get(name, 0),
        sha256=hashlib.sha256("\n".join(names).encode()).hexdigest(),
    )


def _per_digit(items: Sequence[NewItem]) -> tuple[int, ...]:
    counted = np.bincount([item.label for item in items], minlength=len(LABELS))
    return tuple(counted.tolist())


def _line(item: SetAside) -> bytes:
    document = {key: value for key, value in asdict(item).items() if value or key != "name"}
    return json.dumps(document).encode() + b"\n"


def _list_set_aside(set_aside: Sequence[SetAside], path: Path, say: Callable[[str], None]) -> None:
    """Write the list, and show its beginning. The things themselves are not touched."""
    if not set_aside:
        path.unlink(missing_ok=True)
        return
    FileRef.store(path, b"".join(_line(item) for item in set_aside))
    for item in set_aside[:_SHOWN]:
        say(f"new data set aside: {item}")
    rest = len(set_aside) - _SHOWN
    say(f"new data set aside: {f'and {rest:,} more; ' if rest > 0 else ''}all are listed in {path}")
