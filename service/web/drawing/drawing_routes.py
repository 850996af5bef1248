"""What the page asks for while people draw on it."""

from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.errors import NoDigitError
from service.client import ArgumentError, AsyncRecognizer, Reading, ServiceError
from service.web.drawing import shown
from service.web.drawing.cards import card
from service.web.drawing.feedback_errors import feedback_error
from service.web.drawing.pause import Pause
from service.web.drawing.sent import picture_in
from service.web.drawing.serving import Serving
from service.web.drawing.while_wanted import while_wanted
from service.web.http_status import sentence_of

__all__ = ["routes"]

GONE = 499
"""The HTTP status that logs use for a client which did not wait."""

SECONDS = 5.0
"""What takes longer is no answer to somebody who draws."""

Picture = bytes | NDArray[np.uint8]
Work = Callable[[AsyncRecognizer, Picture, Request], Coroutine[Any, Any, dict[str, Any]]]


async def _page(request: Request) -> Response:
    page: Response = request.app.state.site.page(request, "draw.html.j2")
    return page


async def _read(client: AsyncRecognizer, picture: Picture, request: Request) -> dict[str, Any]:
    pause, began = _pause(request), perf_counter()
    reading = await client.recognize(picture, want_pixels=True, timeout=SECONDS)
    pause.answered(perf_counter() - began)
    return shown.reading(reading) | {"pause": round(1000 * pause.seconds)}


def _pause(request: Request) -> Pause:
    state = request.app.state
    if not hasattr(state, "pause"):
        state.pause = Pause()
    pause: Pause = state.pause
    return pause


async def _explain(client: AsyncRecognizer, picture: Picture, request: Request) -> dict[str, Any]:
    digit = _digit(request) if "digit" in request.query_params else None
    return shown.explanation(await client.explain(picture, digit=digit, timeout=SECONDS))


async def _inside(client: AsyncRecognizer, picture: Picture, _: Request) -> dict[str, Any]:
    return shown.inside(await client.look_inside(picture, timeout=SECONDS))


async def _many(client: AsyncRecognizer, picture: Picture, _: Request) -> dict[str, Any]:
    return shown.found(await client.recognize_many(picture, timeout=SECONDS))


async def _feedback(client: AsyncRecognizer, picture: Picture, request: Request) -> dict[str, Any]:
    digit = _digit(request)
    about = Reading(digit, 0.0, (), "", "", reply_id=request.query_params.get("reply_id", ""))
    try:
        return {"added": await client.send_feedback(picture, digit, about=about, timeout=SECONDS)}
    except ServiceError as error:
        raise feedback_error(error) from error


def _digit(request: Request) -> int:
    text = request.query_params.get("digit", "")
    if text not in set("0123456789"):
        raise ArgumentError("the digit is missing, expected digit=0 to digit=9")
    return int(text)


def _about_a_picture(
    work: Work, *, blank_is_an_answer: bool = True
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """The endpoint for work on the picture that a request holds.

    Args:
        work: Asks the service.
        blank_is_an_answer: Whether a picture without a digit is answered with the status 200, as all others are.
            Somebody who has just begun to draw has done nothing wrong, and browsers list every other status among the
            errors of a page.
    """

    async def endpoint(request: Request) -> Response:
        try:
            picture = await picture_in(request)
            with request.app.state.upstream.for_a_picture() as client:
                return _json(await while_wanted(request, work(client, picture, request)))
        except ClientDisconnect:
            return Response(status_code=GONE)  # nobody sees it
        except NoDigitError as error:
            if not blank_is_an_answer:
                raise
            return _json({"error": str(error), "kind": type(error).__name__})

    return endpoint


async def _status(request: Request) -> Response:
    state = request.app.state
    if not hasattr(state, "serving"):
        state.serving = Serving(state.upstream.own, sentence_of)
    return _json(await state.serving.state())


def _json(value: dict[str, Any]) -> Response:
    return Response(orjson.dumps(value), media_type="application/json", headers={"Cache-Control": "no-store"})


routes: list[BaseRoute] = [
    Route("/", _page),
    Route("/page/read", _about_a_picture(_read), methods=["POST"]),
    Route("/page/explain", _about_a_picture(_explain), methods=["POST"]),
    Route("/page/inside", _about_a_picture(_inside), methods=["POST"]),
    Route("/page/many", _about_a_picture(_many), methods=["POST"]),
    Route("/page/feedback", _about_a_picture(_feedback, blank_is_an_answer=False), methods=["POST"]),
    Route("/page/status", _status),
    Route("/card", card),
    Route("/card/{version}", card),
]
