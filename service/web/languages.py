"""The words of the pages in each language, and in which one a page is shown."""

import json
from pathlib import Path

from starlette.requests import Request

__all__ = ["COOKIE", "DEFAULT", "NAMES", "Languages"]

NAMES = {"en": "English", "de": "Deutsch"}
"""Every language, by its code, under the name that it has in itself."""

DEFAULT = "en"
"""The language of whoever asks for none that there is."""

COOKIE = "lang"
"""The cookie that remembers which language somebody has chosen."""

_LONGEST_HEADER = 1000
"""Characters of Accept-Language that are read; browsers send fewer than 100."""


class Languages:
    """The words, read once. A key that one language lacks has its English words there."""

    def __init__(self, folder: Path) -> None:
        """Read the words.

        Args:
            folder: Has a file NAME.LANG.json for each part of the pages and each language: {"key": "words"}, in which
                "{name}" stands for a value.

        Raises:
            ValueError: Two files of one language have the same key.
        """
        read = {lang: _merged(sorted(folder.glob(f"*.{lang}.json"))) for lang in NAMES}
        self._words = {lang: read[DEFAULT] | words for lang, words in read.items()}

    def text(self, lang: str, key: str, /, **values: object) -> str:
        """The words of a key, with values put in; escaping them is up to the template.

        Raises:
            KeyError: There is no such key, or a value that its words name was not given.
        """
        words = self._words[lang][key]
        return words.format(**values) if values else words

    def under(self, lang: str, prefix: str) -> dict[str, str]:
        """The words of all keys that begin with a prefix, which is cut off: what a script is given."""
        return {key.removeprefix(prefix): text for key, text in self._words[lang].items() if key.startswith(prefix)}

    @staticmethod
    def chosen(request: Request) -> str | None:
        """The language that this very request chooses, by `?lang=`; None if it chooses none that there is."""
        wanted = request.query_params.get("lang")
        return wanted if wanted in NAMES else None

    def wanted(self, request: Request) -> str:
        """The language of a request: by `?lang=`, or the cookie, or what the browser accepts, or else English."""
        if chosen := self.chosen(request):
            return chosen
        remembered = request.cookies.get(COOKIE)
        if remembered in NAMES:
            return remembered
        return accepted(request.headers.get("accept-language", ""))


def accepted(header: str) -> str:
    """The language that an Accept-Language header likes best, of those that there are (RFC 9110, 12.5.4)."""
    weights: dict[str, float] = {}
    for part in header[:_LONGEST_HEADER].split(","):
        name, _, parameter = part.partition(";")
        lang = name.strip().lower().partition("-")[0]  # de-AT is German, too
        if lang == "*":
            lang = DEFAULT
        if lang in NAMES:
            weights[lang] = max(weights.get(lang, 0.0), _weight(parameter))
    best = max(weights, key=weights.__getitem__, default=DEFAULT)  # of equal ones, the first
    return best if weights.get(best) else DEFAULT


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if not name.strip():
        return 1.0
    try:
        weight = float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def _merged(files: list[Path]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for file in files:
        words: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        if twice := merged.keys() & words:
            raise ValueError(f"{file}: {min(twice)} has words in another file of the same language already")
        merged |= words
    return merged
