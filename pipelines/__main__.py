"""`python -m pipelines`."""

from pipelines.engine.stopping import stopping


def main() -> None:
    """Entry point of `python -m pipelines` and `numeral-pipelines`: an interrupt is no traceback, from here on."""
    with stopping():
        from pipelines.cli import commands  # importing them takes most of a second

        commands.main()


if __name__ == "__main__":
    main()
