"""How often browsers should have a drawing read while it grows, so that the service keeps up with all of them."""

__all__ = ["LEAST", "MOST", "Pause"]

LEAST, MOST = 0.08, 3.0
"""Seconds between an answer and the next picture. What matters is read at once, however long the pause is: the picture
after the pen was lifted."""

SLOW = 0.05
"""Seconds: an answer of the service that takes longer has waited for others."""

WIDER, NARROWER = 1.02, 0.995
"""What each slow answer, and each other one, does to the pause: it comes to rest where a fifth of them are slow."""


class Pause:
    """One pause for all browsers, because one service answers them all.

    Each of them sees only the time that its own answers take, which on a slow network says nothing about the service;
    and where many people draw, none of them would notice soon enough that it is time to ask less often.

    Attributes:
        seconds: Between an answer and the next picture of a drawing that is not finished.
    """

    def __init__(self) -> None:
        self.seconds = LEAST

    def answered(self, seconds: float) -> None:
        """Learn how long the service has taken for an answer."""
        self.seconds = min(self.seconds * WIDER, MOST) if seconds > SLOW else max(self.seconds * NARROWER, LEAST)
