"""The command line of `python -m service`."""
