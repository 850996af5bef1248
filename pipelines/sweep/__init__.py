"""The search for better recipes: many trainings with other values, of which those that promise little end early.

The coordinator decides, by Optuna: which values to try next, and after each epoch whether a trial goes on. Workers
train, an epoch at a time; see `docs/decisions/0024-a-sweep-in-epochs.md`.
"""
