"""The check of each exercise, beside deliberately wrong variants of it."""
