"""The command line of `python -m pipelines`: one module for each group of commands."""
