"""The command line of `python -m pipelines`."""
