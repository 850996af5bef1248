"""The commands that sentences for operators name as the next step."""

__all__ = ["PROMOTE_COMMAND", "PUBLISH_COMMAND"]

PUBLISH_COMMAND = "python -m pipelines retrain"
PROMOTE_COMMAND = "python -m pipelines models promote"
