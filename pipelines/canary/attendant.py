"""Looks at the canary from time to time, beside other work: what a scheduler does between two runs."""

from core.errors import NumeralError
from pipelines.canary.looked import Look
from pipelines.canary.looking import Looker
from pipelines.voice import say

__all__ = ["Attendant"]


class Attendant:
    """Looks, and says what is new. What fails is said once, and tried again with the next look."""

    def __init__(self, looker: Looker) -> None:
        """Nothing was looked at yet."""
        self._looker = looker
        self._told: object = None

    def look(self) -> Look | None:
        """Look once; None if it failed."""
        try:
            found = self._looker.look()
        except (NumeralError, OSError) as error:
            self._tell(str(error), f"canary: cannot be looked at, which is tried again: {error}")
            return None
        troubles = tuple(each.trouble for each in found.services)
        verdicts = tuple((mishap.name, mishap.verdict) for mishap in found.mishaps)
        news = (found.outcome, found.version, troubles, verdicts)
        if found.outcome == "none":
            self._told = news  # a repository without a canary is as it should be
        else:
            self._tell(news, f"canary: {found.words}")
        return found

    def _tell(self, news: object, sentence: str) -> None:
        if news != self._told:
            say(sentence)
        self._told = news
