"""What both clients say of the repository of a real server: versions, moves, documents."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from core.artifact.manifest import MANIFEST, Manifest
from service.client import (
    AccessError,
    ArgumentError,
    AsyncRecognizer,
    Move,
    NotFoundError,
    Recognizer,
    RefusedError,
    RequestError,
    VersionSummary,
)
from service.client import listed as pages
from service.versions.documents import LARGEST_DOCUMENT
from tests.service.many_versions import many
from tests.service.tiny_model import publish

Ask = Callable[..., Any]


def with_threads(address: str, method: str, *arguments: Any, **options: Any) -> Any:
    with Recognizer(address) as client:
        return getattr(client, method)(*arguments, **options)


def with_asyncio(address: str, method: str, *arguments: Any, **options: Any) -> Any:
    async def call() -> Any:
        async with AsyncRecognizer(address) as client:
            return await getattr(client, method)(*arguments, **options)

    return asyncio.run(call())


@pytest.fixture(params=[with_threads, with_asyncio])
def ask(request: pytest.FixtureRequest, folder, serve) -> Ask:
    """Call a method of the client, once with each of the two clients; the server starts with the first call."""
    addresses: list[str] = []

    def call(method: str, *arguments: Any, **options: Any) -> Any:
        if not addresses:
            addresses.append(serve(folder).address)
        return request.param(addresses[0], method, *arguments, **options)

    return call


def test_a_version_is_described_as_it_was_published(ask, repository):
    before = datetime.now(UTC)
    manifest = repository.manifest(publish(repository, seed=1))
    found = ask("versions")
    [version] = found.versions
    assert before < version.created < datetime.now(UTC)
    assert version == VersionSummary(
        version="1",
        created=manifest.created,
        recipe="tiny",
        parameters=manifest.architecture.parameter_count,
        test_accuracy=0.5,
        validation_accuracy=0.5,
        weights_sha256=manifest.files["weights.safetensors"].sha256,
        aliases=("champion",),
        state="READY",
        reason="",
        verdict="fit to be champion: a test wants it",
        trouble="",
    )
    assert (found.serving, found.policy, found.loaded_by_hand, found.pinned) == ("1", "champion", (), "")
    assert found.why == "version 1 is the champion, and the policy of this server is to serve the champion"
    assert not found.more


def test_as_many_versions_and_moves_come_as_are_asked_for(ask, repository, folder, monkeypatch):
    monkeypatch.setattr(pages, "LARGEST_PAGE", 7)
    many(repository, folder, 20)
    for number in range(2, 21):
        repository.promote(number, by="tests", why="the next")
    for limit in (1, 7, 13, 19):
        found = ask("versions", limit=limit)
        assert [version.version for version in found.versions] == [str(20 - place) for place in range(limit)]
        assert found.more
        assert [move.number for move in ask("moves", limit=limit)] == [20 - place for place in range(limit)]
    for limit in (20, 21, 500):
        found = ask("versions", limit=limit)
        assert (len(found.versions), found.more) == (20, False)
        assert len(ask("moves", limit=limit)) == 20


def test_a_version_with_a_damaged_manifest_has_no_date(ask, repository, folder):
    for seed in (1, 2):
        publish(repository, seed=seed, promote=seed == 1)
    (folder / "mnist/2" / MANIFEST).write_bytes(b"{}")
    damaged, sound = ask("versions").versions
    assert (damaged.version, damaged.created, damaged.recipe) == ("2", None, "")
    assert damaged.trouble.startswith("mnist/2/manifest.json: ")
    assert sound.trouble == ""


def test_a_move_says_who_moved_what_when_and_why(ask, repository):
    for seed in (1, 2):
        publish(repository, seed=seed)
    times = [move.at for move in repository.alias().history()]
    assert ask("moves") == [
        Move(2, "2", "1", times[1], "tests", "a new one"),
        Move(1, "1", "", times[0], "tests", "a new one"),
    ]
    assert ask("moves", "champion", limit=1)[0].number == 2
    with pytest.raises(NotFoundError, match="no alias 'nobody' here; known: champion"):
        ask("moves", "nobody")


def test_a_document_comes_as_the_bytes_that_were_published(ask, repository):
    report = b"<h1>" + bytes(range(256)) * 4000
    publish(repository, seed=1, documents={"report.html": report})
    publish(repository, seed=2)
    assert ask("document", "report.html", version=1) == report
    assert Manifest.decode(ask("document", MANIFEST)).version == 2
    with pytest.raises(NotFoundError, match="version 2 was published without report.html"):
        ask("document", "report.html")
    with pytest.raises(NotFoundError, match="no version or alias '7' here"):
        ask("document", "report.html", version="7")
    with pytest.raises(RequestError, match="expected one of manifest.json"):
        ask("document", "../1/report.html")


def test_the_largest_document_that_is_sent_arrives_and_a_larger_one_is_refused(ask, repository):
    largest = bytes(LARGEST_DOCUMENT)
    publish(repository, seed=1, documents={"report.html": largest, "history.json": largest + b"!"})
    assert ask("document", "report.html") == largest
    with pytest.raises(RefusedError, match="history.json of version 1 has 4,000,001 bytes, and at most 4,000,000"):
        ask("document", "history.json")


@pytest.mark.parametrize(
    ("method", "arguments", "options"),
    [
        ("versions", (), {"limit": 0}),
        ("versions", (), {"limit": "10"}),
        ("versions", (), {"limit": True}),
        ("moves", (3,), {}),
        ("moves", ("\ud800",), {}),
        ("moves", (), {"limit": -1}),
        ("document", (None,), {}),
        ("document", ("card.md",), {"version": 1.5}),
    ],
)
def test_impossible_arguments_are_refused_before_anything_is_sent(method, arguments, options):
    with Recognizer("localhost:1") as client, pytest.raises(ArgumentError, match="expected|Unicode"):
        getattr(client, method)(*arguments, **options)


def test_a_client_whose_token_may_only_predict_has_no_access(repository, folder, serve, tmp_path):
    publish(repository, seed=1)
    tokens = tmp_path / "tokens"
    tokens.write_text("predict:a-token-to-predict\nadmin:a-token-to-administer\n")
    tokens.chmod(0o600)
    address = serve(folder, tokens_file=str(tokens)).address
    with Recognizer(address, token="a-token-to-predict") as client:
        for method, arguments in (("versions", ()), ("moves", ()), ("document", (MANIFEST,))):
            with pytest.raises(AccessError, match="role predict, and this method needs admin"):
                getattr(client, method)(*arguments)
    with Recognizer(address, token="a-token-to-administer") as client:
        assert client.versions().serving == "1"


def test_a_pinned_version_is_what_is_served_and_the_reason(ask, repository):
    for seed in (1, 2):
        publish(repository, seed=seed)
    ask("pin", "1")
    found = ask("versions")
    assert (found.serving, found.pinned, found.loaded_by_hand) == ("1", "1", ())
    assert found.why == "an administrator has pinned version 1: it answers, whatever the policy champion says"
    ask("pin", "")
    found = ask("versions")
    assert (found.serving, found.pinned) == ("2", "")
