"""Pictures that are chosen, dropped or pasted in place of a drawing."""

from base64 import b64encode

import pytest

from tests.browser.playwright_api import expect
from tests.browser.strokes import DIGITS, FOUR_AND_TWO
from tests.browser.visit import drawn, picture

FILE = """(text) => {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return new File([bytes], "three.png", { type: "image/png" });
}"""


def choose(visit, name: str, data: bytes, kind: str) -> None:
    visit.page.set_input_files("#choose", {"name": name, "mimeType": kind, "buffer": data})


def test_a_picture_that_is_chosen_is_read_and_shown(visit):
    choose(visit, "three.png", picture(DIGITS[3]), "image/png")
    expect(visit.digit()).to_have_text("3")
    expect(visit.page.locator("#photo canvas")).to_be_visible()
    expect(visit.page.locator("#ink")).to_be_hidden()


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_photo_is_read_and_shown_upright_as_its_exif_says(visit, orientation):
    photo = picture(DIGITS[7], 1000, kind="JPEG", orientation=orientation)
    choose(visit, "photo.jpg", photo, "image/jpeg")
    expect(visit.digit()).to_have_text("7")
    size = visit.page.evaluate("(({ width, height }) => [width, height])(document.querySelector('#photo canvas'))")
    assert size == [1000, 1250]


def test_a_picture_is_pasted(browse, web_server):
    visit = browse(web_server, permissions=["clipboard-read", "clipboard-write"])
    visit.page.evaluate(
        f"""async (text) => {{
            const file = ({FILE})(text);
            await navigator.clipboard.write([new ClipboardItem({{ "image/png": file }})]);
        }}""",
        b64encode(picture(DIGITS[3])).decode(),
    )
    visit.page.keyboard.press("Control+v")
    expect(visit.digit()).to_have_text("3")


def test_a_picture_is_dropped(visit):
    visit.page.evaluate(
        f"""(text) => {{
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(({FILE})(text));
            for (const kind of ["dragover", "drop"]) {{
                const event = new DragEvent(kind, {{ dataTransfer, bubbles: true, cancelable: true }});
                document.getElementById("sheet").dispatchEvent(event);
            }}
        }}""",
        b64encode(picture(DIGITS[3])).decode(),
    )
    expect(visit.digit()).to_have_text("3")


def test_a_picture_with_several_digits_is_read_in_order_with_a_box_around_each(visit):
    choose(visit, "42.png", picture(FOUR_AND_TWO, 300), "image/png")
    expect(visit.digit()).to_have_text("4 2")
    paper, shown = visit.page.locator("#sheet").bounding_box(), visit.page.locator("#photo canvas").bounding_box()
    assert abs(paper["width"] - shown["width"]) <= 2  # the border
    boxes = [box.bounding_box() for box in visit.page.locator(".box").all()]
    assert [round((box["x"] - paper["x"]) / paper["width"], 1) for box in boxes] == [0.2, 0.5]


@pytest.mark.parametrize(
    ("name", "kind", "data", "words"),
    [
        ("photo.heic", "image/heic", b"\x00\x00\x00\x18ftypheic" + bytes(100), "HEIC photo"),
        ("letter.pdf", "application/pdf", b"%PDF-1.7" + bytes(100), "PDF document"),
        ("<b>x</b>.png", "image/png", b"no picture", "Not a picture that can be read"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_in_words(visit, name, kind, data, words):
    choose(visit, name, data, kind)
    expect(visit.page.locator("#verdict")).to_contain_text(words)
    expect(visit.page.locator("#photo")).to_have_text(name)
    visit.end_with_complaints()  # browsers list the status 400


def test_one_draws_again_after_a_picture(visit):
    drawn(visit, 7)
    expect(visit.digit()).to_have_text("7")
    choose(visit, "three.png", picture(DIGITS[3]), "image/png")
    expect(visit.digit()).to_have_text("3")
    visit.page.get_by_role("button", name="Draw again").click()
    expect(visit.page.locator("#ink")).to_be_visible()
    expect(visit.page.locator("#photo")).to_be_hidden()
    expect(visit.digit()).to_have_text("7")
