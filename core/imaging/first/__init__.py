"""Framing 1, as it was when the first versions were published. It is frozen: a change here changes their answers.

What it shares with the latest framing (components, morphology, strokes, gray, `frame`) may be made faster, but must
give the same result to the bit; tests/core/imaging/first compares it with what it was.
"""

from core.imaging.first.first_picture import first_digit

__all__ = ["first_digit"]
