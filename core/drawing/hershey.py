"""Hershey's vector fonts (US National Bureau of Standards, 1967): letters as the strokes of a pen."""

from functools import cache
from importlib.resources import files

Points = list[tuple[int, int]]

_FIRST = 32  # the code of the character in a file's first line
_HEADER = 10  # characters before the first point: number, count, left and right side
_PEN_UP = " R"


@cache
def font(name: str) -> dict[str, tuple[Points, ...]]:
    """The strokes of every character that a font draws, in the font's own units; y points down.

    Args:
        name: A file in `core/drawing/fonts`, without its suffix. Its README describes the format.
    """
    lines = (files("core.drawing") / "fonts" / f"{name}.jhf").read_text("ascii").splitlines()
    glyphs = {chr(code): _strokes(line[_HEADER:]) for code, line in enumerate(lines, start=_FIRST)}
    return {character: strokes for character, strokes in glyphs.items() if strokes}


def _strokes(pairs: str) -> tuple[Points, ...]:
    """Pairs of characters → strokes of at least two points."""
    strokes: list[Points] = [[]]
    for x, y in zip(pairs[::2], pairs[1::2], strict=True):
        if x + y == _PEN_UP:
            strokes.append([])
        else:
            strokes[-1].append((ord(x) - ord("R"), ord(y) - ord("R")))
    return tuple(stroke for stroke in strokes if len(stroke) > 1)
