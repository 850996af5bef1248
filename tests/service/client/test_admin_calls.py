"""What administrators may decide with either client, against a real server."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.feedback import FeedbackFolder
from service.client import AccessError, ArgumentError, FeedbackEntry, NotFoundError, RefusedError, ServiceError
from service.client.admin_calls import AdminCalls
from tests.service.client.test_client_calls import with_asyncio, with_threads
from tests.service.tiny_model import damage, publish, weights_file

Ask = Callable[..., Any]
PREDICT = "a-token-to-predict-with"


@pytest.fixture(params=[with_threads, with_asyncio])
def ask(request: pytest.FixtureRequest, repository, folder, serve, tmp_path) -> Ask:
    """Call a method of the client, once with each of the two clients. Versions 1 to 3 exist, and 1 is damaged."""
    for seed in (1, 2, 3):
        publish(repository, seed=seed)
    damage(weights_file(folder, 1))
    address = serve(folder, feedback=str(tmp_path / "feedback"), feedback_per_second=1000).address
    return lambda method, *arguments, **options: request.param(address, method, *arguments, **options)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (28, 28), np.uint8)


def test_a_version_is_pinned_and_the_policy_returned_to(ask, pixels):
    assert ask("pin", 2) == "2"
    assert ask("recognize", pixels).model_version == "2"
    assert ask("pin", "champion") == "3"
    assert ask("pin", "2") == "2"
    assert ask("pin", "") == ask("pin") == "3"


def test_a_version_that_cannot_be_pinned_is_an_error_that_says_why(ask):
    with pytest.raises(NotFoundError, match="no version or alias '9' here"):
        ask("pin", 9)
    with pytest.raises(RefusedError, match="version 1 cannot be pinned: mnist/1/weights.safetensors"):
        ask("pin", 1)


def test_feedback_is_listed_page_by_page_with_its_pictures(ask, tmp_path):
    about = ask("recognize", noise(1))
    for seed in (1, 2, 3):
        assert ask("send_feedback", noise(seed), seed, about=about)
    first = ask("feedback", page_size=2)
    second = ask("feedback", page=first.next_page)
    assert (len(first.items), len(second.items), second.next_page) == (2, 1, "")
    entries = [*first.items, *second.items]
    assert [entry.item for entry in entries] == FeedbackFolder(tmp_path / "feedback").names()
    one = next(entry for entry in entries if entry.digit == 1)
    np.testing.assert_array_equal(one.image, noise(1))
    assert (one.reply_id, one.trouble, one.accepted) == (about.reply_id, "", False)
    assert one.received.year > 2000
    assert one.received.tzinfo is not None


def test_a_damaged_item_is_listed_without_a_picture(ask, tmp_path):
    ask("send_feedback", noise(1), 1)
    [name] = FeedbackFolder(tmp_path / "feedback").names()
    (tmp_path / "feedback" / f"{name}.json").write_bytes(b"{")
    [entry] = ask("feedback").items
    assert entry == FeedbackEntry(name, None, None, None, "", entry.trouble, accepted=False)
    assert "Invalid JSON" in entry.trouble
    with pytest.raises(RefusedError, match="Invalid JSON"):
        ask("accept_feedback", name)


def test_an_item_is_accepted_or_discarded(ask):
    for digit in (1, 7):
        ask("send_feedback", noise(1), digit)
    one, seven = sorted(ask("feedback").items, key=lambda entry: entry.digit)
    assert "another item says 7" in one.trouble
    assert ask("accept_feedback", one.item) is None
    one, seven = sorted(ask("feedback").items, key=lambda entry: entry.digit)
    assert (one.accepted, one.trouble, seven.accepted) == (True, "", False)
    assert "another item says 1" in seven.trouble
    ask("accept_feedback", seven.item)
    one, seven = sorted(ask("feedback").items, key=lambda entry: entry.digit)
    assert (one.accepted, seven.accepted) == (False, True), "the later decision holds"
    assert ask("discard_feedback", seven.item) is None
    assert [entry.digit for entry in ask("feedback").items] == [1]
    for method in ("accept_feedback", "discard_feedback"):
        with pytest.raises(NotFoundError, match=f"no feedback {seven.item}"):
            ask(method, seven.item)


@pytest.mark.parametrize("client", [with_threads, with_asyncio])
def test_a_service_without_a_folder_says_so(folder, serve, client):
    address = serve(folder).address
    for method, arguments in (("feedback", ()), ("accept_feedback", ("a" * 64,)), ("discard_feedback", ("a" * 64,))):
        with pytest.raises(ServiceError, match="this service collects no feedback"):
            client(address, method, *arguments)


@pytest.mark.parametrize("client", [with_threads, with_asyncio])
def test_a_token_that_may_only_predict_is_refused(folder, serve, tmp_path, client, monkeypatch):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"predict:{PREDICT}\n")
    tokens.chmod(0o600)
    address = serve(folder, tokens_file=str(tokens), feedback=str(tmp_path / "feedback")).address
    calls = {"pin": ("1",), "feedback": (), "discard_feedback": ("a" * 64,), "accept_feedback": ("a" * 64,)}
    assert {name for name in vars(AdminCalls) if not name.startswith("_")} == calls.keys()
    for method, arguments in calls.items():
        with pytest.raises(AccessError):
            client(address, method, *arguments)


@pytest.mark.parametrize("client", [with_threads, with_asyncio])
@pytest.mark.parametrize(
    ("method", "arguments", "options"),
    [
        ("pin", (None,), {}),
        ("pin", (0,), {}),
        ("pin", ("\ud800",), {}),
        ("feedback", (), {"page_size": 0}),
        ("feedback", (), {"page_size": 1001}),
        ("feedback", (), {"page_size": "2"}),
        ("feedback", (), {"page_size": True}),
        ("feedback", (), {"page": None}),
        ("accept_feedback", (b"a",), {}),
        ("discard_feedback", ("\ud800",), {}),
    ],
)
def test_a_wrong_argument_is_an_error_and_nothing_is_sent(client, method, arguments, options):
    with pytest.raises(ArgumentError, match="expected|no valid Unicode"):
        client("127.0.0.1:1", method, *arguments, **options)
