"""`python -m pipelines`."""

import gc

from pipelines.engine.stopping import stopping


def main() -> None:
    """Entry point of `python -m pipelines` and `numeral-pipelines`: an interrupt is no traceback, from here on."""
    with stopping():
        # What importing makes is there to stay. To look through it for garbage again and again takes a fifth of the
        # start, and later a good part of a list of thousands of versions.
        gc.disable()
        from pipelines.cli import commands  # importing them takes most of a second

        gc.freeze()
        gc.enable()
        commands.main()


if __name__ == "__main__":
    main()
