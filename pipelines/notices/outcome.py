"""Which notices a retraining gives at its end."""

from pathlib import Path

from core.artifact.location import Location
from pipelines.notices.notice import Kind, Notice
from pipelines.order import Order
from pipelines.retrain.retrained import Retrained
from pipelines.settings import Settings

__all__ = ["failure_of", "notices_of"]


def notices_of(result: Retrained) -> list[Notice]:
    """The notices about a run that ended well; none if it found nothing changed, or was a dry run."""
    if result.outcome not in ("published", "rejected"):
        return []
    promoted = result.outcome == "published" and result.promoted
    last: Kind | None = "promoted" if promoted else "rejected" if result.rejected else None
    kinds: list[Kind] = ["published"] if "publish" in result.seconds else []  # else an earlier run has published it
    page = Settings().page_url
    return [
        Notice(
            kind=kind,
            repository=result.repository,
            recipe=result.recipe,
            reason=result.rejected or result.why or result.verdict.reason,
            version=result.version,
            metrics=result.metrics,
            page=f"{page}/models/{result.version}" if page else None,
        )
        for kind in [*kinds, *([last] if last else [])]
    ]


def failure_of(order: Order, error: Exception) -> Notice:
    """The notice about a run that failed."""
    repository = Location.parse(order.repository).url  # not of a repository that was opened: that may be what failed
    reason = str(error) or type(error).__name__
    return Notice(kind="failed", repository=repository, recipe=Path(order.recipe).stem, reason=reason)
