"""Watch mode: one exercise at a time, checked whenever its file is saved.

One file is looked at, five times a second: this needs no library, and works on every file system.
"""

import time
from pathlib import Path

from exercises import process, show
from exercises.afterwards import AFTERWARDS
from exercises.catalog import EXERCISES, Exercise
from exercises.folder import DONE, Folder
from exercises.keyboard import Keyboard

__all__ = ["Watch"]

EVERY = 0.2
SETTLED = 0.05
"""Seconds after which a file that does not change any more has been written to its end."""

Signature = tuple[int, int, int] | None


class Watch:
    """A learner at work.

    Attributes:
        folder: The learner's files.
        current: The exercise that is looked at.
        passed: Whether it has passed as it is now.
    """

    def __init__(self, folder: Folder, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds
        self.current: Exercise = folder.first_open() or EXERCISES[-1]
        self.passed = False
        self._level = 0
        self._seen: Signature = None

    def run(self) -> int:
        """Until q is pressed. Returns the exit status."""
        with Keyboard() as keyboard:
            self._begin(self.current)
            while True:
                key = keyboard.read(EVERY)
                if key == "q":
                    print("What has passed is remembered. See you.")
                    return 0
                if key:
                    self._press(key, keyboard)
                if self._saved():
                    self._check()

    def _begin(self, exercise: Exercise) -> None:
        """Show an exercise. It is checked if the learner has written something: an untouched gap is no mistake."""
        self.current, self.passed, self._level = exercise, False, 0
        file = self.folder.file(exercise)
        self._seen = _signature(file)
        number = EXERCISES.index(exercise) + 1
        print(f"\n{show.bold(f'{exercise.name}  ({number} of {len(EXERCISES)})')}")
        print(f"  {exercise.title}")
        print(f"  Edit {show.bold(show.relative(file))}: it is checked whenever you save it.")
        if file.exists() and file.read_bytes() != exercise.gap.read_bytes():
            self._check()
        else:
            self._keys()

    def _check(self) -> None:
        file = self.folder.file(self.current)
        self._seen = _signature(file)  # what is saved while the check runs is checked again
        digest = self.folder.digest(self.current)
        longer = " (if it passes, a network is trained: up to a minute)" if self.current.name in AFTERWARDS else ""
        print(show.dim(f"\n{time.strftime('%H:%M:%S')}  checking {self.current.name} …{longer}"), flush=True)
        found = process.check(self.current, file, self.seconds)
        self.passed = found.passed
        self.folder.remember(self.current, digest, passed=found.passed)
        print(show.verdict(found, self.current))
        self._keys()

    def _keys(self) -> None:
        if self.passed and (following := self._next()):
            print(
                f"\n{show.bold(f'Press Enter for the next one, {following.name}')}",
                show.dim("  l list  q quit"),
                flush=True,
            )
        elif self.passed:
            print(
                f"\n{show.bold('Every exercise has passed: this was a whole network, by your own hands.')} q quit",
                flush=True,
            )
        else:
            print(
                show.dim("\nh hint  s solution  n next  p previous  l list  r reset  Enter check again  q quit"),
                flush=True,
            )

    def _press(self, key: str, keyboard: Keyboard) -> None:
        """Do what a key asks for."""
        match key:
            case "\n":
                self._go_on()
            case "n" | "p":
                step = 1 if key == "n" else -1
                self._begin(EXERCISES[(EXERCISES.index(self.current) + step) % len(EXERCISES)])
            case "h":
                self._level += 1
                print(f"\n{show.hint(self.current, self._level)}", flush=True)
            case "l":
                print(f"\n{show.listing(self.folder, self.current)}", flush=True)
            case "s":
                if _agreed(keyboard, "Show the solution?"):
                    print(f"\n{self.current.solution.read_text('utf-8')}", flush=True)
            case "r":
                self._reset(keyboard)
            case _:
                self._keys()

    def _go_on(self) -> None:
        """To the next exercise, if this one has passed; else check it again."""
        following = self._next()
        if self.passed and following:
            self._begin(following)
        elif not self.passed:
            self._check()

    def _reset(self, keyboard: Keyboard) -> None:
        if _agreed(keyboard, f"Replace {show.relative(self.folder.file(self.current))} by the original?"):
            kept = self.folder.reset(self.current)
            print(f"Your text is kept in {show.relative(kept)}." if kept else "It was the original.")
            self._begin(self.current)

    def _next(self) -> Exercise | None:
        """The next exercise that has not passed: after this one, else before it."""
        here = EXERCISES.index(self.current)
        others = (*EXERCISES[here + 1 :], *EXERCISES[:here])
        return next((exercise for exercise in others if self.folder.state(exercise) != DONE), None)

    def _saved(self) -> bool:
        """Whether the file was saved since it was last looked at, and has been written to its end."""
        file = self.folder.file(self.current)
        now = _signature(file)
        if now is None or now == self._seen:  # some editors delete a file for a moment
            return False
        while True:
            time.sleep(SETTLED)
            later = _signature(file)
            if later == now:
                return later is not None
            now = later


def _signature(file: Path) -> Signature:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _agreed(keyboard: Keyboard, question: str) -> bool:
    print(f"\n{question} y / n ", end="", flush=True)
    while True:
        key = keyboard.read(60)
        if key in ("y", "n", "q", "\n", None):
            print(key if key in ("y", "n") else "n", flush=True)
            return key == "y"
