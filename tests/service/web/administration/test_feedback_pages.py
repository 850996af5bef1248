"""The gallery of feedback, with a real service and a real folder."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.feedback import FeedbackFolder
from service.client import Recognizer
from tests.service.harness import STROKE
from tests.service.tiny_model import publish
from tests.service.web.administration.conftest import ADMIN, PREDICT, Browser

HOSTILE = "<img src=x onerror=alert(1)>\"'"


@pytest.fixture
def feedback(guarded, tmp_path) -> FeedbackFolder:
    """The folder of `guarded`, with three items: one picture sent as 3, another as 4 and as 5."""
    other = STROKE.T.copy()
    with Recognizer(guarded.address, token=PREDICT) as client:
        for picture, digit in ((STROKE, 3), (other, 4), (other, 5)):
            client.send_feedback(picture, digit)
    return FeedbackFolder(tmp_path / "feedback")


def name_of(folder: FeedbackFolder, digit: int) -> str:
    return next(name for name in folder.names() if folder.read(name).digit == digit)


def accepted(guarded, name: str) -> bool:
    with Recognizer(guarded.address, token=ADMIN) as client:
        return next(item for item in client.feedback().items if item.item == name).accepted


def test_the_gallery_shows_each_item_with_what_is_read_now(admin, guarded, feedback):
    assert admin.get("/feedback") == 200
    for name in feedback.names():
        assert f'data-item="{name}"' in admin.text
    assert admin.text.count("data:image/png;base64,") == 3
    with Recognizer(guarded.address, token=ADMIN) as client:
        digit = client.recognize(STROKE).digit
    tile = admin.text[admin.text.index(name_of(feedback, 3)) :].split("</li>")[0]
    assert f"<dd>{digit} <small>" in tile
    assert ("disagrees" in tile) == (digit != 3)


def test_filters_show_what_they_name(admin, feedback):
    admin.get("/feedback?show=trouble")
    assert [name_of(feedback, digit) in admin.text for digit in (3, 4, 5)] == [False, True, True]
    admin.get("/feedback?show=accepted")
    assert not any(name in admin.text for name in feedback.names())
    admin.get("/feedback?show=%3Cscript%3E&page=%3Cscript%3E")
    assert all(name in admin.text for name in feedback.names())
    assert "<script>" not in admin.text


def test_an_item_is_accepted_by_its_form(admin, guarded, feedback):
    name = name_of(feedback, 4)
    admin.get("/feedback?show=trouble")
    assert admin.post(f"/feedback/{name}/accept", {"csrf": admin.csrf, "show": "trouble"}) == 303
    assert admin.place == "/feedback?show=trouble"
    assert accepted(guarded, name)
    admin.get(admin.place)
    assert "Accepted: 1." in admin.text


def test_an_item_is_discarded_for_good_after_being_asked_once_more(admin, feedback):
    name = name_of(feedback, 3)
    admin.get("/feedback")
    assert admin.post(f"/feedback/{name}/discard", {"csrf": admin.csrf}) == 200
    assert name in feedback.names(), "the first step asks"
    assert admin.post("/feedback", admin.hidden()) == 303
    assert name not in feedback.names()
    assert (feedback.path / "discarded" / name).exists()
    admin.get("/feedback")
    assert "Discarded: 1." in admin.text


def test_a_selection_is_decided_at_once(admin, guarded, feedback):
    names = [name_of(feedback, 3), name_of(feedback, 4)]
    admin.get("/feedback")
    assert admin.post("/feedback", {"csrf": admin.csrf, "action": "accept", "item": names}) == 303
    assert [accepted(guarded, name) for name in names] == [True, True]
    admin.get("/feedback")
    fields = {"csrf": admin.csrf, "action": "discard", "item": names, "sure": "1"}
    assert admin.post("/feedback", fields) == 303
    assert feedback.names() == [name_of(feedback, 5)]


def test_an_empty_selection_says_so(admin, feedback):
    admin.get("/feedback")
    admin.post("/feedback", {"csrf": admin.csrf, "action": "accept"})
    admin.get(admin.place)
    assert "Nothing was selected." in admin.text


def test_a_script_gets_json(admin, guarded, feedback):
    name = name_of(feedback, 3)
    admin.get("/feedback")
    form, missing = {"csrf": admin.csrf}, f"/feedback/{'0' * 64}/accept"
    assert admin.post(f"/feedback/{name}/accept", form, Accept="application/json") == 200
    assert json.loads(admin.text) == {"done": "accept", "items": [name]}
    assert admin.post(missing, {}, Accept="application/json") == 403
    assert admin.post(missing, form, Accept="application/json") == 404
    assert json.loads(admin.text)["kind"] == "NotFoundError"


@pytest.mark.parametrize("item", ["x", "..%2f..%2fetc", "0" * 63, "%3Cscript%3E"])
def test_what_is_no_name_of_an_item_is_refused(admin, feedback, item):
    admin.get("/feedback")
    assert admin.post(f"/feedback/{item}/discard", {"csrf": admin.csrf, "sure": "1"}) == 404
    assert len(feedback.names()) == 3


def test_texts_of_feedback_are_escaped(admin, guarded, feedback):
    import grpc

    import protos.numeral.v1.recognizer_pb2 as pb
    from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub

    pixels = np.roll(STROKE, 3, axis=1).tobytes()
    with grpc.insecure_channel(guarded.address) as channel:
        RecognizerStub(channel).SendFeedback(
            pb.SendFeedbackRequest(pixels=pixels, digit=7, reply_id=HOSTILE),
            metadata=(("authorization", f"Bearer {PREDICT}"),),
        )
    assert admin.get("/feedback") == 200
    assert "&lt;img src=x onerror" in admin.text
    assert "<img src=x" not in admin.text


def test_a_damaged_item_is_shown_and_can_be_discarded(admin, feedback):
    name = name_of(feedback, 3)
    (feedback.path / f"{name}.json").write_bytes(b"<script>alert(1)</script>")
    assert admin.get("/feedback?show=trouble") == 200
    assert name in admin.text
    assert "<script>alert" not in admin.text
    fields = {"csrf": admin.csrf, "action": "discard", "item": [name], "sure": "1"}
    assert admin.post("/feedback", fields) == 303
    assert name not in feedback.names()


def test_a_gallery_of_many_items_has_pages(admin, guarded, tmp_path):
    rng = np.random.default_rng(0)
    with Recognizer(guarded.address, token=PREDICT) as client:
        for k in range(60):
            picture = STROKE.copy()
            picture[4:24, 12:16] = rng.integers(200, 256, (20, 4))
            client.send_feedback(picture, k % 10)
    admin.get("/feedback")
    assert admin.text.count("data-item=") == 48
    following = admin.text.split('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert admin.get(following) == 200
    assert admin.text.count("data-item=") == 12
    assert 'rel="next"' not in admin.text


def test_a_service_that_collects_no_feedback_says_how_to_switch_it_on(
    repository, folder, serve, serve_web, tokens_file
):
    publish(repository, seed=1)
    browser = Browser(serve_web(serve(folder, tokens_file=str(tokens_file)).address, token=PREDICT))
    browser.sign_in()
    assert browser.get("/feedback") == 200
    assert "collects no feedback" in browser.text
    assert "--feedback" in browser.text


def test_the_gallery_is_shown_even_if_no_version_can_read_it(admin, guarded, feedback, folder: Path, serve, serve_web):
    empty = folder.with_name("empty")
    empty.mkdir()
    service = serve(empty, feedback=str(feedback.path))
    browser = Browser(serve_web(service.address))
    browser.get("/sign-in")
    browser.post("/sign-in", browser.hidden())
    assert browser.get("/feedback") == 200
    assert "cannot be read by the network just now" in browser.text
    assert all(name in browser.text for name in feedback.names())
