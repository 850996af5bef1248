"""Lists that are sent page by page: how large a page is, and where it begins."""

from service.errors import RequestError
from service.texts import quoted, version_number

__all__ = ["DEFAULT_PAGE", "MAX_PAGE", "page_begin", "page_size"]

MAX_PAGE, DEFAULT_PAGE = 1000, 100
"""Entries of one response: the most, and the number if the request names none."""


def page_size(wanted: int) -> int:
    """How many entries a response may have.

    Args:
        wanted: What the request says; 0 stands for `DEFAULT_PAGE`.

    Raises:
        RequestError: It is negative.
    """
    if wanted < 0:
        raise RequestError(f"page_size: {wanted}, expected 1 to {MAX_PAGE:,}, or 0 for {DEFAULT_PAGE}")
    return min(wanted or DEFAULT_PAGE, MAX_PAGE)


def page_begin(page: str) -> int | None:
    """The number below which a page of a list begins that descends by numbers; None for the first page.

    Raises:
        RequestError: It is not what a response gave as its `next_page`.
    """
    number = version_number(page)
    if page and number is None:
        raise RequestError(f"page: {quoted(page)}, expected the `next_page` of the response before, or nothing")
    return number
