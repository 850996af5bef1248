"""Numbers as people read them. A value that is not a number becomes a dash, never `nan`."""

from math import isfinite

from core.artifact.trusted import Trusted, Validated


def percent(share: float | None, digits: int = 2) -> str:
    """0.98 → 98.00%; a share that is unknown or not a number becomes a dash."""
    return "–" if share is None or not isfinite(share) else f"{share:.{digits}%}"


def confidence(probability: float) -> str:
    """0.987 → 98.7%; never 100%, which a softmax reaches only by rounding."""
    return "over 99.9%" if probability > 0.999 else percent(probability, 1)


def number(value: float, digits: int = 4) -> str:
    """0.071234567 → 0.07123, with this many significant digits; a value that is not a number becomes a dash."""
    return f"{value:.{digits}g}" if isfinite(value) else "–"


def check_result(passed: bool | None) -> str:
    """The result of a check in a word or two; None becomes not decided."""
    return "not decided" if passed is None else "passed" if passed else "failed"


def drawn_images(digits: int, others: int) -> str:
    """5, 3 → 5 digits in writing styles that MNIST lacks and 3 images that show no digit."""
    written = [f"{digits:,} digits in writing styles that MNIST lacks"] if digits else []
    return " and ".join([*written, *([f"{others:,} images that show no digit"] if others else [])])


def trusted(found: Trusted) -> str:
    """How new pictures were sorted, as a sentence."""
    one = found.offered == 1
    words = f"{found.accepted:,} of {found.offered:,} new picture{' was' if one else 's were'} trusted"
    if found.by_reviewers:
        words += f", {found.by_reviewers:,} of them by a person"
    judge = f"the judge was {found.judge}" if found.judge else "no judge looked at them"
    aside = ", ".join(f"{count:,} {reason}" for reason, count in sorted(found.left_out.items()))
    return f"{words}; {judge}." + (f" Not trusted: {aside}." if aside else "")


def validated(found: Validated) -> str:
    """What the validation of the data found, as a sentence or more."""
    verdict = {"set aside": "new pictures set aside"}.get(found.verdict, found.verdict)
    return " ".join([f"Validation before training: {verdict}.", *(f"{finding}." for finding in found.findings)])


def duration(seconds: float) -> str:
    """8.4 → 8.4 s; 75 → 1 min 15 s; 4000 → 1 h 7 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
