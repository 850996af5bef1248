"""What the judge says about new pictures, remembered from run to run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import TypeAdapter, ValidationError

from pipelines.new_data.item import NewItem
from pipelines.new_data.judge import Judge
from pipelines.references import FileRef

_MOST_REMEMBERED = 500_000
"""Judgements that one file keeps, 40 MB. Beyond, only those on the present pictures are kept."""


class Judgement(NamedTuple):
    """What the judge says about one picture.

    Attributes:
        read: The digit that it reads.
        confidence: The probability that it gives to this digit.
        claimed: The probability that it gives to the digit that the picture is said to show.
        rejected: Whether it takes the picture for no digit at all.
    """

    read: int
    confidence: float
    claimed: float
    rejected: bool


_REMEMBERED = TypeAdapter(dict[str, Judgement])


def judged(items: Sequence[NewItem], judge: Judge, folder: Path) -> dict[str, Judgement]:
    """The judge's answers, by the items' names.

    An item's name covers its picture and its digit, so what a judge has said about it once holds for ever: a nightly
    run only asks about what is new.

    Args:
        items: What is judged.
        judge: Who judges.
        folder: Where answers are remembered, in one file a judge. A damaged file is not used, and written anew.
    """
    path = folder / f"judged-{judge.sha256[:16]}.json"
    known = _remembered(path)
    if fresh := [item for item in items if item.name not in known]:
        known |= _asked(fresh, judge)
        if len(known) > _MOST_REMEMBERED:
            known = {item.name: known[item.name] for item in items}
        FileRef.store(path, _REMEMBERED.dump_json(known))
    elif path.exists():
        path.touch()  # it is in use: what nobody uses is removed after some time
    return {item.name: known[item.name] for item in items}


def _asked(items: Sequence[NewItem], judge: Judge) -> Mapping[str, Judgement]:
    answers = judge.predictor.answers(np.stack([item.image for item in items]))
    best = answers.probabilities.argmax(axis=1)
    return {
        item.name: Judgement(int(read), float(row[read]), float(row[item.label]), bool(rejected))
        for item, read, row, rejected in zip(items, best, answers.probabilities, answers.rejected, strict=True)
    }


def _remembered(path: Path) -> dict[str, Judgement]:
    try:
        return _REMEMBERED.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return {}
