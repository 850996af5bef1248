"""One visit of a page in a real browser, in which nothing may go wrong unnoticed."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from PIL import Image, ImageDraw

from tests.browser.strokes import DIGITS, corners

SECONDS = 60
"""What a busy machine may need; no test waits it out."""


class Visit:
    """A page of one browser, and what it has complained about.

    Attributes:
        page: Playwright's page.
        complaints: Errors in its console, exceptions of its scripts.
        requests: The addresses that it has asked for.
        received: Bytes of the bodies that it got, unpacked, by address.
    """

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.set_default_timeout(SECONDS * 1000)
        page.on("console", lambda line: line.type == "error" and self.complaints.append(line.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: str = "/") -> "Visit":
        self.page.goto(self.url + path)
        self.page.wait_for_load_state("networkidle")
        return self

    def complained(self) -> list[str]:
        """What the page complains about, once it does; these complaints are forgotten."""
        found: list[str] = []
        while not found:  # until the time limit of the test
            self.page.wait_for_timeout(20)
            found, self.complaints = self.complaints, []
        return found

    def end_with_complaints(self) -> None:
        """Close the page, and forget what it has complained about: the test has provoked it.

        The last complaint may come after what it was about is shown, and a page that is closed makes none.
        """
        self.page.context.close()
        self.complaints.clear()

    def elsewhere(self) -> list[str]:
        """The requests to any other server than the one whose page this is."""
        here = urlsplit(self.url).netloc
        return [url for url in self.requests if urlsplit(url).netloc != here and not url.startswith(("data:", "blob:"))]

    def draw(self, strokes: Sequence[str], *, lift: bool = True) -> None:
        """Draw with the mouse; without `lift`, the button stays down at the end."""
        area = self.page.locator("#ink").bounding_box()
        for index, stroke in enumerate(strokes):
            points = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in corners(stroke)]
            self.page.mouse.move(*points[0])
            self.page.mouse.down()
            for point in points[1:]:
                self.page.mouse.move(*point, steps=4)
            if lift or index < len(strokes) - 1:
                self.page.mouse.up()

    def digit(self) -> Any:
        """The large digit of the answer."""
        return self.page.locator("#digit")

    def announced(self) -> Any:
        """What a screen reader says."""
        return self.page.locator("#announcement")

    def ink(self) -> float:
        """The share of the paper that is covered with ink."""
        return self.page.evaluate(
            """() => {
                const canvas = document.getElementById("ink");
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                const alphas = data.filter((_, i) => i % 4 === 3);
                return alphas.reduce((sum, alpha) => sum + alpha / 255, 0) / alphas.length;
            }"""
        )


def drawn(visit: Visit, digit: int) -> None:
    """Draw a digit with the mouse."""
    visit.draw(DIGITS[digit])


def picture(strokes: Sequence[str], side: int = 300, *, kind: str = "PNG", orientation: int = 1) -> bytes:
    """A file in which strokes are drawn, dark on light.

    Args:
        strokes: What is drawn.
        side: Pixels of its width; it is a quarter higher, so that lying and standing pictures differ.
        kind: "PNG" or "JPEG".
        orientation: EXIF's: 6 stores the picture lying, as a telephone held upright does.
    """
    image = Image.new("L", (side, side * 5 // 4), 255)
    pen = ImageDraw.Draw(image)
    for stroke in strokes:
        pen.line(
            [(x * side, side // 8 + y * side) for x, y in corners(stroke)], fill=0, width=side // 16, joint="curve"
        )
    if orientation == 6:
        image = image.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = BytesIO()
    image.save(buffer, kind, exif=exif)
    return buffer.getvalue()
