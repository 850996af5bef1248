"""Retraining without anybody looking: when, why, one at a time, and whether it works."""

DEPLOYMENT = "scheduled"
"""Prefect's pages show the schedule as `retrain/scheduled`."""
