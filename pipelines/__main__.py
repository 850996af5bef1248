"""`python -m pipelines`."""

from pipelines.cli.commands import main

if __name__ == "__main__":
    main()
