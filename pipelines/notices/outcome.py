"""Which notices a retraining gives at its end."""

from pipelines.notices.notice import Kind, Notice
from pipelines.retrain.retrained import Retrained

__all__ = ["notices_of"]


def notices_of(result: Retrained) -> list[Notice]:
    """The notices about a run that ended well; none if it found nothing changed, or was a trial."""
    if result.outcome not in ("published", "rejected"):
        return []
    promoted = result.outcome == "published" and result.promoted
    last: Kind | None = "promoted" if promoted else "rejected" if result.rejected else None
    kinds: list[Kind] = ["published"] if "publish" in result.seconds else []  # else an earlier run has published it
    return [
        Notice(
            kind=kind,
            repository=result.repository,
            recipe=result.recipe,
            reason=result.rejected or result.verdict.reason,
            version=result.version,
            metrics=result.metrics,
        )
        for kind in [*kinds, *([last] if last else [])]
    ]
