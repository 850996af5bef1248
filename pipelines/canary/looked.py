"""`Look`: what one look at a canary has come to, as `--json` prints it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipelines.canary.weighing import Mishap

__all__ = ["Asked", "Look"]


class Asked(BaseModel):
    """One service that was asked.

    Attributes:
        address: Where its metrics are.
        trouble: Why it does not help to tell, and what to do; None if it does.
        answered: Whether it has answered.
    """

    model_config = ConfigDict(frozen=True)

    address: str
    answered: bool
    trouble: str | None = None


class Look(BaseModel):
    """What one look has come to."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["none", "waiting", "forward", "stopped", "begun"] = Field(
        description="none: no version is a canary; waiting: nothing was decided; forward: the canary is the champion "
        "now; stopped: it is a canary no longer; begun: it was judged against another champion, and begins again."
    )
    words: str = Field(description="Why, in a sentence for people.")
    version: int | None = Field(None, description="The canary.")
    champion: int | None = Field(None, description="The champion that it is compared with.")
    since: datetime | None = Field(None, description="When it became a canary.")
    pictures: int = Field(0, description="How many pictures it has answered since it was first looked at.")
    champion_pictures: int = Field(0, description="How many the champion has answered in the same time.")
    mishaps: tuple[Mishap, ...] = Field((), description="What went wrong with either, and how the two compare.")
    services: tuple[Asked, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether there is no canary to look at any more."""
        return self.outcome in ("none", "forward", "stopped")

    @property
    def deaf(self) -> bool:
        """Whether services were asked, and none of them has answered."""
        return bool(self.services) and not any(each.answered for each in self.services)
