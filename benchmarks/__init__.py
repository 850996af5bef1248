"""Every figure that README and docs quote, each one command: `python -m benchmarks`."""
