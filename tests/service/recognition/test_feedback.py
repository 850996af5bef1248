"""Feedback over gRPC: what is stored, what is refused, and what reviewers see."""

import threading
from pathlib import Path

import grpc
import numpy as np
import pytest
from PIL import Image

from core.feedback import FeedbackFolder
from protos.numeral.v1.recognizer_pb2 import (
    AcceptFeedbackRequest,
    DiscardFeedbackRequest,
    ListFeedbackRequest,
    RecognizeRequest,
    SendFeedbackRequest,
)
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from tests.patience import eventually
from tests.service.harness import STROKE, encoded
from tests.service.tiny_model import publish

Status = grpc.StatusCode


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "feedback"


@pytest.fixture
def stub(folder, serve, place):
    """A server that collects feedback, which needs no model."""
    with grpc.insecure_channel(serve(folder, feedback=str(place), feedback_per_second=1000).address) as channel:
        yield RecognizerStub(channel)


def noise(seed: int) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, 784, np.uint8).tobytes()


def send(stub, seed: int, digit: int = 4):
    return stub.SendFeedback(SendFeedbackRequest(pixels=noise(seed), digit=digit), timeout=60)


def refused(call, request) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=60)
    return caught.value.code(), caught.value.details()


def test_feedback_is_on_disk_once_when_the_call_returns(stub, place, png):
    first = stub.SendFeedback(SendFeedbackRequest(encoded=png, digit=0, reply_id="abc"), timeout=60)
    again = stub.SendFeedback(SendFeedbackRequest(encoded=png, digit=0), timeout=60)
    assert (first.added, again.added, first.item) == (True, False, again.item)
    [item] = FeedbackFolder(place).sound()
    assert (item.name, item.digit, item.original, item.reply_id) == (first.item, 0, png, "abc")


def test_a_digit_must_be_set_even_if_it_is_zero(stub, png, place):
    assert refused(stub.SendFeedback, SendFeedbackRequest(encoded=png))[0] is Status.INVALID_ARGUMENT
    assert "set `digit`" in refused(stub.SendFeedback, SendFeedbackRequest(encoded=png))[1]
    assert not place.exists()


@pytest.mark.parametrize(
    "request_",
    [
        SendFeedbackRequest(digit=3),
        SendFeedbackRequest(digit=3, pixels=bytes(3)),
        SendFeedbackRequest(digit=3, pixels=bytes(784)),
        SendFeedbackRequest(digit=3, pixels=(STROKE // 16).tobytes()),  # levels that nobody draws
        SendFeedbackRequest(digit=3, pixels=np.clip(STROKE, 110, 255).tobytes()),  # of no certain polarity
        SendFeedbackRequest(digit=3, encoded=b"no picture"),
        SendFeedbackRequest(digit=3, encoded=encoded(Image.new("L", (60, 60), 255))),
        SendFeedbackRequest(digit=3, pixels=STROKE.tobytes(), reply_id="x" * 65),
    ],
)
def test_feedback_that_nothing_can_be_learned_from_is_refused(stub, request_, place):
    assert refused(stub.SendFeedback, request_)[0] is Status.INVALID_ARGUMENT
    assert not place.exists()


def test_a_service_without_a_folder_refuses_feedback_and_names_the_setting(folder, serve):
    with grpc.insecure_channel(serve(folder).address) as channel:
        stub = RecognizerStub(channel)
        calls = [
            (stub.SendFeedback, SendFeedbackRequest(pixels=noise(1), digit=3)),
            (stub.ListFeedback, ListFeedbackRequest()),
            (stub.DiscardFeedback, DiscardFeedbackRequest(item="a" * 64)),
            (stub.AcceptFeedback, AcceptFeedbackRequest(item="a" * 64)),
        ]
        for call, request in calls:
            code, sentence = refused(call, request)
            assert code is Status.UNIMPLEMENTED
            assert "NUMERAL_FEEDBACK or --feedback" in sentence


def test_feedback_beyond_the_rate_is_refused(folder, serve, place):
    with grpc.insecure_channel(serve(folder, feedback=str(place), feedback_per_second=0.2).address) as channel:
        stub = RecognizerStub(channel)
        assert send(stub, 1).added
        assert send(stub, 2).added  # ten seconds' worth of a fifth each
        code, sentence = refused(stub.SendFeedback, SendFeedbackRequest(pixels=noise(3), digit=3))
        assert code is Status.RESOURCE_EXHAUSTED
        assert "try again in" in sentence
    assert len(FeedbackFolder(place).names()) == 2


def test_a_full_folder_refuses_feedback_and_loses_none(folder, serve, place):
    with grpc.insecure_channel(serve(folder, feedback=str(place), feedback_bytes=7000).address) as channel:
        stub = RecognizerStub(channel)
        assert [send(stub, seed).added for seed in range(3)] == [True] * 3
        code, sentence = refused(stub.SendFeedback, SendFeedbackRequest(pixels=noise(3), digit=3))
        assert code is Status.RESOURCE_EXHAUSTED
        assert "NUMERAL_FEEDBACK_BYTES" in sentence
    assert len(list(FeedbackFolder(place).sound())) == 3
    assert FeedbackFolder(place).size() <= 7000


def test_a_folder_that_cannot_be_written_is_unavailable_and_named(folder, serve, place):
    place.write_text("a file")
    with grpc.insecure_channel(serve(folder, feedback=str(place)).address) as channel:
        code, sentence = refused(RecognizerStub(channel).SendFeedback, SendFeedbackRequest(pixels=noise(1), digit=3))
    assert code is Status.UNAVAILABLE
    assert sentence.startswith(f"cannot write the feedback folder {place}: ")


def test_a_disk_that_hangs_delays_no_answer_and_blocks_a_bounded_number_of_items(
    repository, folder, serve, place, pixels, monkeypatch
):
    publish(repository, seed=1)
    hanging = threading.Event()
    monkeypatch.setattr(FeedbackFolder, "add", lambda *_: hanging.wait(30))
    with grpc.insecure_channel(serve(folder, feedback=str(place), feedback_per_second=1000).address) as channel:
        stub = RecognizerStub(channel)
        sent = [
            stub.SendFeedback.future(SendFeedbackRequest(pixels=noise(seed), digit=1), timeout=30) for seed in range(40)
        ]
        eventually(lambda: sum(call.done() for call in sent) == 24)
        assert {call.code() for call in sent if call.done()} == {Status.RESOURCE_EXHAUSTED}
        assert stub.Recognize(RecognizeRequest(pixels=pixels.tobytes()), timeout=60).model_version == "1"
        hanging.set()
        assert sum(call.exception() is None for call in sent) == 16


def test_reviewers_get_pages_of_items_with_what_is_wrong_with_them(stub, place):
    names = [send(stub, seed).item for seed in range(5)]
    rival = send(stub, 0, digit=9).item
    damaged = names[2]
    (place / f"{damaged}.json").write_bytes(b"{")
    seen, page = [], ""
    while True:
        response = stub.ListFeedback(ListFeedbackRequest(page_size=2, page=page), timeout=60)
        assert len(response.items) == 2
        seen += response.items
        page = response.next_page
        if not page:
            break
    assert [item.item for item in seen] == sorted({*names, rival})
    troubles = {item.item: item.trouble for item in seen if item.trouble}
    assert troubles.keys() == {names[0], rival, damaged}
    assert "says 9, and another item says 4" in troubles[rival]
    sound = next(item for item in seen if item.item == names[1])
    assert (sound.digit, sound.pixels) == (4, noise(1))
    assert sound.received.ToDatetime().year > 2000


def test_a_discarded_item_is_gone_even_if_it_is_sent_again(stub, place):
    name = send(stub, 1).item
    stub.DiscardFeedback(DiscardFeedbackRequest(item=name), timeout=60)
    assert not stub.ListFeedback(ListFeedbackRequest(), timeout=60).items
    assert not send(stub, 1).added
    for item in (name, "../../etc/passwd", ""):
        assert refused(stub.DiscardFeedback, DiscardFeedbackRequest(item=item))[0] is Status.NOT_FOUND


def test_an_accepted_item_is_listed_as_such_without_the_trouble_of_a_contradiction(stub, place):
    four, nine = send(stub, 1).item, send(stub, 1, digit=9).item
    for _ in range(2):
        stub.AcceptFeedback(AcceptFeedbackRequest(item=four), timeout=60)
    listed = {item.item: item for item in stub.ListFeedback(ListFeedbackRequest(), timeout=60).items}
    assert (listed[four].accepted, listed[four].trouble) == (True, "")
    assert not listed[nine].accepted
    assert "says 9, and another item says 4" in listed[nine].trouble
    assert FeedbackFolder(place).accepted() == {four}
    for item in ("a" * 64, "../../etc/passwd", ""):
        assert refused(stub.AcceptFeedback, AcceptFeedbackRequest(item=item))[0] is Status.NOT_FOUND


def test_an_item_from_which_nothing_can_be_learned_is_not_accepted(stub, place):
    name = send(stub, 1).item
    (place / f"{name}.json").write_bytes(b"{")
    code, sentence = refused(stub.AcceptFeedback, AcceptFeedbackRequest(item=name))
    assert code is Status.FAILED_PRECONDITION
    assert "Invalid JSON" in sentence


@pytest.mark.parametrize("size", [-1, -(2**31)])
def test_a_negative_page_size_is_refused(stub, size):
    assert refused(stub.ListFeedback, ListFeedbackRequest(page_size=size))[0] is Status.INVALID_ARGUMENT
