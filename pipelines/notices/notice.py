"""`Notice`: one thing that happened to the model, as other programs are told of it."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

__all__ = ["Kind", "Notice"]

Kind = Literal["published", "promoted", "rejected", "failed"]


class Notice(BaseModel):
    """One thing that happened.

    Attributes:
        kind: What happened. A version that is promoted has been published before, so two notices are sent.
        repository: Where the versions are.
        recipe: The name of the recipe.
        reason: One sentence: why the version was promoted or rejected, or how the run failed.
        version: Which version it is about; None if the run failed before it published one.
        metrics: Measures of the version by name, such as `test_accuracy`; empty if the run failed.
        page: Where people see the version, if `NUMERAL_PAGE_URL` says where the page is.
        at: When it happened, UTC.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    repository: str
    recipe: str
    reason: str
    version: int | None = None
    metrics: dict[str, float] = {}
    page: str | None = None
    at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))

    @property
    def event(self) -> str:
        """The name of the event, such as `numeral.model.promoted`."""
        return f"numeral.model.{self.kind}"

    @property
    def details(self) -> dict[str, Any]:
        """All of it but the kind and the time, as JSON."""
        return self.model_dump(mode="json", exclude={"kind", "at"})
