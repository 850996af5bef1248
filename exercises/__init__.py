"""Implement it yourself: a whole network with gaps, one exercise a file. `python -m exercises` starts."""
