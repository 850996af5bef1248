"""Every figure quoted in README and docs, each reproduced by one command: `python -m benchmarks`."""
