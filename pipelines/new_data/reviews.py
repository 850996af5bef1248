"""What people have decided about new pictures: which ones are trained on in spite of the judge, and which ones never.

    <data folder>/reviews/accepted/3f…a0
    <data folder>/reviews/rejected/9b…17

A decision is an empty file named after the item, so that two reviewers cannot overwrite each other and nothing has to
be repaired. The name is a digest of picture and digit: a decision holds wherever the picture comes from, and for a
changed picture or digit it holds no longer. It is kept in the data folder and not beside the pictures, because those
may lie where a training cannot write: docker compose mounts the feedback folder read-only, and an archive of pictures
often is.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.data.durable import sync_folder
from core.errors import ReviewError

_NAME = re.compile(r"[0-9a-f]{64}")

ACCEPTED, REJECTED = "accepted", "rejected"


@dataclass(frozen=True)
class Decisions:
    """What people have decided, at one moment.

    Attributes:
        accepted: The names of the items to train on.
        rejected: The names of the items never to train on.
    """

    accepted: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()


class Reviews:
    """The decisions in one data folder. Any number of processes may read and write them at the same time."""

    def __init__(self, data_dir: Path) -> None:
        """Name the data folder; nothing is read or written yet."""
        self.path = data_dir / "reviews"

    def accepted(self) -> frozenset[str]:
        """The names of the items to train on.

        Raises:
            ReviewError: They cannot be read.
        """
        return self._marked(ACCEPTED)

    def rejected(self) -> frozenset[str]:
        """The names of the items never to train on.

        Raises:
            ReviewError: They cannot be read.
        """
        return self._marked(REJECTED)

    def decisions(self) -> Decisions:
        """All of them.

        Raises:
            ReviewError: They cannot be read.
        """
        return Decisions(self.accepted(), self.rejected())

    def accept(self, names: Iterable[str]) -> None:
        """Train on these items from now on, whatever was decided before.

        Raises:
            ReviewError: The decision cannot be written.
        """
        self._decide(names, ACCEPTED, REJECTED)

    def reject(self, names: Iterable[str]) -> None:
        """Never train on these items, whatever was decided before.

        Raises:
            ReviewError: The decision cannot be written.
        """
        self._decide(names, REJECTED, ACCEPTED)

    def _marked(self, decision: str) -> frozenset[str]:
        try:
            return frozenset(p.name for p in (self.path / decision).iterdir() if _NAME.fullmatch(p.name))
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise ReviewError(f"cannot read the decisions in {self.path}: {error.strerror or error}") from error

    def _decide(self, names: Iterable[str], decision: str, opposite: str) -> None:
        folder = self.path / decision
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in names:
                (folder / name).touch()  # before the opposite goes, so that an interruption leaves no item undecided
                (self.path / opposite / name).unlink(missing_ok=True)
            sync_folder(folder)
        except OSError as error:
            raise ReviewError(
                f"cannot write the decision to {self.path}: {error.strerror or error}; name a data folder that can be "
                "written with --data-dir"
            ) from error
