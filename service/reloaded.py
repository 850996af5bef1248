"""What is read from files again and again, such as a certificate: what could last be used stays in use."""

import logging
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from core.errors import ConfigError

__all__ = ["Reloaded"]

_Contents = TypeVar("_Contents", bound=Hashable)
_Value = TypeVar("_Value")


class Reloaded(Generic[_Contents, _Value]):
    """What files say. Contents that cannot be used change nothing, and are reported once.

    Contents are compared rather than times or sizes of files: these miss what is overwritten quickly, and differ
    between storages.

    Attributes:
        value: What the files said when they could last be used. To be read by any thread.
    """

    def __init__(
        self,
        read: Callable[[], _Contents],
        parse: Callable[[_Contents], _Value],
        *,
        log: logging.Logger,
        consequence: str,
        report: Callable[[bool], None],
    ) -> None:
        """Read the files for the first time.

        Args:
            read: Reads the contents of the files.
            parse: The contents → what they say.
            log: Where unusable contents are logged.
            consequence: What follows from these, for the log.
            report: Called after each look, the first one included, with whether the files can be used.

        Raises:
            ConfigError: The files cannot be used; as `read` or `parse` raise it.
        """
        self._read, self._parse = read, parse
        self._log, self._consequence, self._report = log, consequence, report
        self._contents = read()
        self.value = parse(self._contents)
        self._finding = self._logged = ""
        report(True)

    def look(self) -> bool:
        """Read the files again. By one thread at a time.

        Returns:
            Whether `value` is a new one.
        """
        try:
            contents = self._read()
            renewed = contents != self._contents
            if renewed:
                # Parsed at each look while they are unusable: a certificate may have been written before it is valid.
                self.value = self._parse(contents)
                self._contents = contents
        except ConfigError as error:
            self._unusable(str(error))
            renewed = False
        else:
            if self._logged and not renewed:
                self._log.info("the previous contents are back in the files; they were in use all the time")
            self._finding = self._logged = ""
        self._report(not self._logged)
        return renewed

    def _unusable(self, finding: str) -> None:
        # Key and certificate are written one after the other. Only what is still wrong at the next look is a mistake.
        if finding == self._finding != self._logged:
            self._log.error("%s; %s", finding, self._consequence)
            self._logged = finding
        self._finding = finding
