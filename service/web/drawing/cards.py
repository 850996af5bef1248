"""The card of a version as a page."""

from starlette.requests import Request
from starlette.responses import Response

from service.web.markdown import as_html

__all__ = ["card"]


async def card(request: Request) -> Response:
    """The card of the version in the path; of the one that serves if the path names none.

    Raises:
        NotFoundError: There is no such version.
        ServiceError: The service does not answer.
    """
    state = request.app.state
    text: str = await state.upstream.own.card(request.path_params.get("version", ""))
    tables = state.site.languages.text(state.site.languages.wanted(request), "draw.table")
    page: Response = state.site.page(request, "card.html.j2", card=as_html(text, tables))
    return page
