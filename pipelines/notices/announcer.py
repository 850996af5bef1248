"""Delivers notices to all channels. A failed delivery never fails the run: the version is published all the same."""

from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import ConfigError, NumeralError
from core.regular_file import read_regular, why_unreadable
from pipelines.notices.notice import Notice
from pipelines.notices.webhook import Webhook
from pipelines.settings import Settings

__all__ = ["Announcer", "to_webhook", "webhook_of"]

_LARGEST_SECRET_FILE = 1024


class Announcer:
    """The channels to which notices go."""

    def __init__(self, channels: Sequence[Callable[[Notice], None]], say: Callable[[str], None]) -> None:
        """Name the channels.

        Args:
            channels: Functions that deliver a notice, such as `to_webhook`.
            say: Receives a sentence for each delivery that failed.
        """
        self._channels = channels
        self._say = say

    def announce(self, *notices: Notice) -> None:
        """Send the notices, in this order, to every channel."""
        for notice in notices:
            for deliver in self._channels:
                try:
                    deliver(notice)
                except NumeralError as error:
                    self._say(f"notice {notice.event} not delivered: {error}")


def to_webhook(notice: Notice) -> None:
    """Deliver a notice to the webhook that the settings name, if they name one.

    Raises:
        ConfigError: The settings about it are not usable.
        WebhookError: It was not delivered.
    """
    if webhook := webhook_of(Settings()):
        webhook.send(notice)


def webhook_of(settings: Settings) -> Webhook | None:
    """The webhook that the settings name; None if they name none.

    Raises:
        ConfigError: The settings about it are not usable. The message never holds the secret.
    """
    if not settings.webhook_url:
        return None
    if settings.webhook_secret:
        return Webhook.of(settings.webhook_url, settings.webhook_secret, place="NUMERAL_WEBHOOK_SECRET")
    if settings.webhook_secret_file:
        place = f"NUMERAL_WEBHOOK_SECRET_FILE={settings.webhook_secret_file}"
        return Webhook.of(settings.webhook_url, _read(settings.webhook_secret_file, place), place=place)
    raise ConfigError(
        "NUMERAL_WEBHOOK_URL is set without a secret to sign with; set NUMERAL_WEBHOOK_SECRET_FILE, or "
        "NUMERAL_WEBHOOK_SECRET, to what the receiver knows"
    )


def _read(file: Path, place: str) -> str:
    try:
        return read_regular(file, _LARGEST_SECRET_FILE, follow=True).decode("ascii").strip()
    except FileNotFoundError as error:
        raise ConfigError(f"{place}: there is no such file; expected one that holds whsec_ and Base64") from error
    except OSError as error:
        raise ConfigError(f"{place}: {why_unreadable(error)}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{place}: holds other characters than ASCII; expected whsec_ and Base64") from error
