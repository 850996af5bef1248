"""What the page asks for while people draw."""

import json
from base64 import b64decode
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.feedback import FeedbackFolder
from tests.service.harness import STROKE, assert_same_answer, drawing, encoded, expected
from tests.service.tiny_model import publish

PNG = {"Content-Type": "image/png"}
PIXELS = {"Content-Type": "application/x-numeral-pixels"}
FIELDS = {"digit", "confidence", "probabilities", "rejected", "digitness", "version", "weights_sha256", "reply_id"}


@pytest.fixture
def ask(web_server):
    """POST a picture: `ask("/page/read", png)` gives the status and the JSON."""

    def ask(path, body=None, headers=PNG):
        response, answer = web_server.ask("POST", path, drawing() if body is None else body, headers)
        return response.status, json.loads(answer)

    return ask


def array(text, dtype=np.uint8):
    return np.frombuffer(b64decode(text), dtype)


def test_a_picture_is_read_with_all_that_the_page_shows(ask):
    status, answer = ask("/page/read")
    assert (status, answer.keys()) == (200, FIELDS | {"pixels", "pause"})
    assert (answer["version"], len(answer["probabilities"]), answer["rejected"]) == ("1", 10, "")
    assert array(answer["pixels"]).max() > 250


def test_the_pixels_that_a_network_sees_are_read_unchanged(ask, repository):
    status, answer = ask("/page/read", STROKE.tobytes(), PIXELS)
    assert status == 200
    assert (array(answer["pixels"]).reshape(28, 28) == STROKE).all()
    assert_same_answer(answer["probabilities"], expected(repository, 1, STROKE))


def test_a_drawing_gives_the_same_answer_as_its_pixels(ask):
    _, drawn = ask("/page/read")
    _, framed = ask("/page/read", b64decode(drawn["pixels"]), PIXELS)
    assert_same_answer(framed["probabilities"], drawn["probabilities"])


@pytest.mark.parametrize(
    ("headers", "body", "kind", "words"),
    [
        ({"Content-Type": "text/plain"}, None, "PictureUnreadableError", "image/png"),
        ({}, None, "PictureUnreadableError", "image/png"),
        (PIXELS, b"x" * 783, "PictureUnreadableError", "783 pixels, expected 784"),
        (PNG, b"no picture", "PictureUnreadableError", "not a picture"),
        ({"Content-Type": "application/octet-stream"}, b"%PDF-1.7", "PictureUnreadableError", "PDF"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_status_400(ask, headers, body, kind, words):
    status, answer = ask("/page/read", body, headers)
    assert (status, answer["kind"]) == (400, kind)
    assert words in answer["error"]


def test_a_form_of_another_site_cannot_send_a_picture(ask):
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
        assert ask("/page/feedback?digit=3", None, {"Content-Type": kind})[0] == 400


@pytest.mark.parametrize("path", ["/page/read", "/page/explain", "/page/inside", "/page/many"])
def test_a_picture_in_which_nothing_is_drawn_is_answered_rather_than_refused(ask, path):
    status, answer = ask(path, blank())
    assert (status, answer["kind"]) == (200, "NoDigitError")
    assert answer.keys() == {"error", "kind"}


def test_an_explanation_is_about_the_digit_that_is_asked_for(ask):
    status, answer = ask("/page/explain?digit=4")
    assert (status, answer["explained"]) == (200, 4)
    saliency = array(answer["saliency"], "<f4")
    assert saliency.shape == (784,)
    assert np.isfinite(saliency).all()
    assert saliency.any()


def test_an_explanation_is_about_the_answer_by_default(ask):
    _, answer = ask("/page/explain")
    assert answer["explained"] == answer["digit"]


@pytest.mark.parametrize("digit", ["10", "x", "-1", "٣", "12345678901234567890"])
def test_what_is_no_digit_is_refused(ask, digit):
    status, answer = ask(f"/page/explain?digit={quote(digit)}")
    assert (status, answer["kind"]) == (400, "ArgumentError")


def test_the_look_inside_shows_the_output_of_each_layer(ask):
    status, answer = ask("/page/inside")
    assert status == 200
    assert [stage["kind"] for stage in answer["stages"]][-3:] == ["dense", "relu", "dense"]
    last = answer["stages"][-1]
    levels = array(last["levels"])
    assert (last["shape"], levels.shape, last["parameters"]) == ([10], (10,), 16 * 10 + 10)
    logits = last["low"] + (last["high"] - last["low"]) * levels / 255
    assert logits.argmax() == answer["digit"]


def test_several_digits_are_found_in_reading_order_with_their_boxes(ask):
    status, answer = ask("/page/many", two())
    assert status == 200
    first, second = answer["digits"]
    assert first["box"][0] < first["box"][2] <= second["box"][0]
    assert first.keys() == FIELDS | {"box"}


def test_feedback_lands_in_the_folder_with_its_reply_id_and_once(repository, folder, serve, serve_web, tmp_path):
    publish(repository, seed=1)
    service = serve(folder, feedback=str(tmp_path / "feedback"))
    server = serve_web(service.address)
    sent = [server.ask("POST", "/page/feedback?digit=0&reply_id=abc", drawing(), PNG)[1] for _ in range(2)]
    assert [json.loads(answer)["added"] for answer in sent] == [True, False]
    kept = FeedbackFolder(tmp_path / "feedback")
    (item,) = map(kept.read, kept.names())
    assert (item.digit, item.reply_id, item.original) == (0, "abc", drawing())


def test_feedback_without_a_digit_or_without_anything_drawn_is_refused(repository, folder, serve, serve_web, tmp_path):
    publish(repository, seed=1)
    server = serve_web(serve(folder, feedback=str(tmp_path / "feedback")).address)
    for path, picture, kind in (
        ("/page/feedback", drawing(), "ArgumentError"),
        ("/page/feedback?digit=3", blank(), "NoDigitError"),
    ):
        response, answer = server.ask("POST", path, picture, PNG)
        assert (response.status, json.loads(answer)["kind"]) == (400, kind)


def test_a_service_that_collects_no_feedback_is_told_from_one_that_fails(ask):
    status, answer = ask("/page/feedback?digit=3")
    assert (status, answer["kind"]) == (400, "FeedbackOffError")
    assert "127.0.0.1" not in answer["error"]


def test_feedback_that_comes_too_fast_is_told_from_a_service_with_too_much_to_do(
    repository, folder, serve, serve_web, tmp_path
):
    publish(repository, seed=1)
    service = serve(folder, feedback=str(tmp_path / "feedback"), feedback_per_second=0.001)
    server = serve_web(service.address)
    kinds = [json.loads(server.ask("POST", f"/page/feedback?digit={k}", drawing(), PNG)[1]).get("kind") for k in (1, 2)]
    assert "FeedbackRateError" in kinds


def test_no_answer_is_kept_by_a_cache(web_server):
    response, _ = web_server.ask("POST", "/page/read", drawing(), PNG)
    assert response.getheader("cache-control") == "no-store"


def blank() -> bytes:
    return encoded(Image.new("L", (60, 60), 255))


def two() -> bytes:
    """Two thick strokes, side by side."""
    image = Image.new("L", (300, 200), 255)
    pen = ImageDraw.Draw(image)
    for x in (70, 220):
        pen.line([(x, 40), (x + 15, 160)], fill=0, width=16)
    return encoded(image)
