"""Log lines: text, or one JSON object each, with the id of the call that they belong to."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import IO, Literal

from service.call import Call, request_id
from service.observer import Observer

__all__ = ["AccessLog", "JsonLines", "configure"]

_log = logging.getLogger(__name__)


def configure(level: str, form: Literal["auto", "text", "json"], stream: IO[str] = sys.stderr) -> None:
    """Set up logging.

    Args:
        level: debug, info, warning or error.
        form: auto is text on a terminal, and JSON otherwise.
        stream: Where log lines are written.
    """
    as_json = form == "json" or (form == "auto" and not stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if as_json else _Text("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    # It reports every change in the repository's folder at level info; what the service makes of it is logged anyway.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)


class AccessLog(Observer):
    """Logs a line for each call."""

    def answered(self, call: Call) -> None:
        """Log the call, without anything of its content."""
        fields = {"method": call.method, "code": call.code.name, "milliseconds": round(call.seconds * 1e3, 3)}
        if call.model_version:
            fields["version"] = call.model_version
        sentence = " ".join(str(value) for value in fields.values())
        _log.info("%s", sentence, extra={"fields": fields})


class _Text(logging.Formatter):
    """Text for people: the id of the call, if there is one, follows the message."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 — logging's name
        """One line."""
        found = request_id.get()
        return super().formatMessage(record) + (f" [{found}]" if found else "")


class JsonLines(logging.Formatter):
    """JSON for machines: one line, whatever the message holds."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if found := request_id.get():
            line["request_id"] = found
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)
