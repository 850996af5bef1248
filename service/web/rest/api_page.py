"""The OpenAPI document, and a page that shows it to people, with examples to copy."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Any, NamedTuple

import orjson
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from service.web.rest.openapi import openapi_document
from service.web.rest.openapi_operations import ERRORS
from service.web.rest.openapi_schemas import SCHEMAS

__all__ = ["routes"]


class Example(NamedTuple):
    """An example to copy.

    Attributes:
        name: Its key among the words of the page: `rest.example.NAME`.
        language: Of the code: sh or python.
        code: What to run; {url} and {place} stand for where this server is, with and without http://.
    """

    name: str
    language: str
    code: str


EXAMPLES = (
    Example(
        "curl",
        "sh",
        "curl --data-binary @examples/seven.png -H 'Content-Type: image/png' {url}/v2/models/mnist/infer",
    ),
    Example(
        "json",
        "sh",
        """\
curl -H 'Content-Type: application/json' {url}/v2/models/mnist/infer --data-binary @- <<END
{"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1],
             "data": ["$(base64 < examples/seven.png | tr -d '\\n')"]}],
 "outputs": [{"name": "digit"}]}
END""",
    ),
    Example(
        "python",
        "python",
        """\
import json
from pathlib import Path
from urllib.request import Request, urlopen

picture = Path("examples/seven.png").read_bytes()
request = Request("{url}/v2/models/mnist/infer", picture, {"Content-Type": "image/png"})
with urlopen(request) as response:
    answer = json.load(response)
print(answer["digit"], answer["confidence"], answer["rejected"])""",
    ),
    Example(
        "triton",
        "python",
        """\
import numpy as np
import tritonclient.http as triton

pixels = np.zeros((1, 28, 28), np.uint8)
pixels[0, 4:24, 13:15] = 255  # a 1
image = triton.InferInput("image", list(pixels.shape), "UINT8")
image.set_data_from_numpy(pixels)
with triton.InferenceServerClient("{place}") as client:
    answer = client.infer("mnist", [image])
print(answer.as_numpy("digit"), answer.as_numpy("probabilities").max())""",
    ),
)


def _software() -> str:
    try:
        return installed("numeral")
    except PackageNotFoundError:  # run from its sources
        return ""


_MARKDOWN = MarkdownIt("commonmark", {"html": False})
DOCUMENT = openapi_document(_software())
WRITTEN = orjson.dumps(DOCUMENT)


async def _document(_: Request) -> Response:
    return Response(WRITTEN, media_type="application/json", headers={"Cache-Control": "no-cache"})


async def _page(request: Request) -> Response:
    url = str(request.base_url).rstrip("/")
    place = request.base_url.netloc
    examples = [each._replace(code=each.code.replace("{url}", url).replace("{place}", place)) for each in EXAMPLES]
    page: Response = request.app.state.site.page(
        request, "api.html.j2", examples=examples, groups=_groups(), schemas=SCHEMAS, errors=ERRORS
    )
    return page


def _groups() -> list[dict[str, Any]]:
    """The operations by their groups; an address with a version beside the one without it."""
    groups: dict[str, dict[str, dict[str, Any]]] = {tag["name"]: {} for tag in DOCUMENT["tags"]}
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            if method == "parameters":
                continue
            name = operation["operationId"].removesuffix("_of_version").removesuffix("_all")
            text = Markup(_MARKDOWN.render(operation.get("description", "")))  # noqa: S704 — our own, escaped by it
            shown = groups[operation["tags"][0]].setdefault(
                name, {"name": name, "method": method.upper(), "paths": [], "operation": operation, "text": text}
            )
            shown["paths"].append(path)
    return [{"name": name, "operations": list(operations.values())} for name, operations in groups.items()]


routes: list[BaseRoute] = [Route("/openapi.json", _document), Route("/api", _page)]
