"""Trying a version in real services of this machine before it is promoted: `python -m service trial`."""
