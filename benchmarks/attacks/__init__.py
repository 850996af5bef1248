"""Attacks on the real service, of which `python -m benchmarks soak --attack` says whether it held."""
