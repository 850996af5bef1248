"""The commands whose flags are made from settings, which take long to import."""

from collections.abc import Callable
from importlib.util import find_spec

import typer

from service.cli import flags

__all__ = ["add_commands"]

WITHOUT_WEB = ({"serve"}, {"trial"}, {"pin"}, {"predict"}, {"health"}, {"status"})
"""What is asked for where the packages of `web` need not be there, or not all of them."""


def add_commands(app: typer.Typer, serve: Callable[..., None], asked: list[str]) -> None:
    """Add them, unless another of them is asked for: in its image, the packages of the others are not installed.

    Args:
        app: The command line.
        serve: The command `serve`, without its flags.
        asked: The first argument of the command line, if there is any.
    """
    if asked == ["web"] or (set(asked) not in WITHOUT_WEB and find_spec("uvicorn")):
        from service.cli.web import web
        from service.web.web_settings import WebSettings

        app.command()(flags.of_settings(web, WebSettings))
    if asked != ["web"]:
        from service.cli.pin import pin
        from service.cli.trial import trial
        from service.settings import Settings

        app.command()(flags.of_settings(serve, Settings))
        app.command()(pin)
        app.command()(trial)
