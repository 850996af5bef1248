"""A repository in a bucket that fails: moto's server behind a proxy that drops, delays and refuses."""

import itertools
import threading
from collections.abc import Iterator

import pytest

from core.artifact.manifest import MANIFEST
from core.artifact.objects import Objects
from core.artifact.repository import Repository
from core.errors import AliasMovedError, ConfigError, RepositoryError
from core.inference.predict import load, rebuild

from .bucket_server import Fault, Faulty, drop, environment_of, faulty_bucket, lose_the_answer, refuse
from .builders import publish

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[Faulty]:
    with faulty_bucket() as found:
        yield found


@pytest.fixture
def bucket(server: Faulty, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """The endpoint is plain http, which nothing but its URL allows."""
    monkeypatch.delenv("AWS_ALLOW_HTTP", raising=False)
    for name, value in environment_of(server).items():
        monkeypatch.setenv(name, value)
    server.heal()
    yield server
    server.heal()


@pytest.fixture
def url() -> str:
    """A repository that no other test uses."""
    return f"s3://models/test-{next(NUMBERS)}"


def test_all_that_is_done_with_versions_is_done_in_a_bucket(bucket: Faulty, url: str) -> None:
    store = Repository(url, writable=True)
    for seed in range(4):
        publish(store, seed)
    store.promote(1, by="a test", why="the first", expecting=None, probe=rebuild)
    store.promote(2, by="a test", why="better", expecting=1, probe=rebuild)
    with pytest.raises(AliasMovedError):
        store.promote(3, by="a test", why="compared with 1", expecting=1)
    assert store.prune(keep=1) == [3]
    assert store.rollback(by="a test", why="it was bad").version == 1
    reader = Repository(url)
    assert (reader.versions(), reader.champion(), list(reader.examine(by="a test"))) == ([1, 2, 4], 1, [])
    assert list(reader.mentioning("f" * 64)) == [4, 2, 1]
    load(reader, 4)


# answers that are lost


def test_a_creation_whose_answer_is_lost_has_been_made(bucket: Faulty, url: str) -> None:
    objects = Objects(url, writable=True)
    bucket.fail(lose_the_answer, times=1, methods="PUT")
    assert objects.create("mnist/1/a", b"data")
    assert [method for method, _ in bucket.requests] == ["PUT", "PUT", "GET"]
    assert not objects.create("mnist/1/a", b"data"), "the same bytes of another writer are another's"
    assert not Objects(url, writable=True).create("mnist/1/a", b"data")


def test_a_move_whose_answer_is_lost_is_made_once(bucket: Faulty, url: str) -> None:
    store = Repository(url, writable=True)
    publish(store)
    bucket.fail(lose_the_answer, times=1, methods="PUT")
    store.promote(1, by="a test", why="the first", expecting=None)
    assert [move.version for move in store.alias().history()] == [1]


def test_a_claim_whose_answer_is_lost_leaves_no_number_unused(bucket: Faulty, url: str) -> None:
    store = Repository(url, writable=True)
    for number in (1, 2):
        bucket.fail(lose_the_answer, times=1, methods="PUT")
        assert publish(store).version == number
    assert store.unpublished() == []


def test_of_two_that_claim_at_once_and_lose_their_answers_each_has_its_own_number(bucket: Faulty, url: str) -> None:
    bucket.fail(lose_the_answer, times=2, methods="PUT")
    claimed: list[int] = []

    def claim() -> None:
        claimed.append(Repository(url, writable=True).claim(b"the same weights").version)

    threads = [threading.Thread(target=claim) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == [1, 2]


# a store that is busy, or away


@pytest.mark.parametrize("fault", [refuse(503, "SlowDown"), drop], ids=["503", "dropped connections"])
def test_a_burst_of_failures_is_waited_out(bucket: Faulty, url: str, fault: Fault) -> None:
    store = Repository(url, writable=True)
    bucket.fail(fault, times=3, methods="PUT")
    publish(store)
    bucket.fail(fault, times=3, methods="GET")
    store.promote(1, by="a test", why="the first")
    store.claim(b"given back").abandon()
    bucket.fail(fault, times=2)
    assert (Repository(url).champion(), store.unpublished()) == (1, [])


REFUSALS: list[tuple[Fault, str]] = [
    (refuse(503, "SlowDown"), "the store is overloaded and has answered 503 to every try; try again later"),
    (refuse(400, "ExpiredToken"), "the credentials have expired; renew AWS_SESSION_TOKEN"),
    (refuse(403, "InvalidAccessKeyId"), "the store does not know the access key; check AWS_ACCESS_KEY_ID"),
    (refuse(403, "SignatureDoesNotMatch"), "does not belong to the access key; check AWS_SECRET_ACCESS_KEY"),
    (refuse(403, "RequestTimeTooSkewed"), "the clock of this machine is wrong by more than 15 minutes; set it"),
    (refuse(403, "AccessDenied"), "access is denied; the policy of these credentials must allow it, see docs"),
    (refuse(403, ""), "access is denied"),
    (refuse(404, "NoSuchBucket"), "there is no such bucket; create it, or correct its name"),
    (
        refuse(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"),
        "the bucket is in another region; set AWS_REGION to eu-west-1",
    ),
    (refuse(301, "PermanentRedirect"), "the bucket is in another region; set AWS_REGION to the one that it"),
    (refuse(418, "IAmATeapot"), "the store has answered 418"),
    (drop, "127.0.0.1:[0-9]+ cannot be reached, or has closed the connection; try again later"),
]


@pytest.mark.parametrize(("fault", "sentence"), REFUSALS, ids=[sentence[:40] for _, sentence in REFUSALS])
def test_a_refusal_is_one_sentence_with_its_cause_and_the_next_step(
    bucket: Faulty, url: str, fault: Fault, sentence: str
) -> None:
    objects = Objects(url)
    bucket.fail(fault)
    for act in (lambda: objects.list("mnist"), lambda: objects.get("mnist/1/a"), lambda: objects.create("a", b"")):
        with pytest.raises(RepositoryError, match=rf"^repository {url}: cannot \w+ \S+: .*{sentence}") as caught:
            act()
        assert len(str(caught.value).splitlines()) == 1
    assert len(bucket.requests) <= 9, "it is tried again, and not for ever"


def test_a_store_that_does_not_answer_is_left_in_time(
    bucket: Faulty, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_TIMEOUT", "200ms")  # the library's own is 30 s, and its variables are passed on to it
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    released = threading.Event()

    def hang(request: object) -> bool:
        released.wait(60)
        return drop(request)  # type: ignore[arg-type]

    bucket.fail(hang)
    try:
        with pytest.raises(RepositoryError, match="has not answered in time, at any try"):
            Objects(url).list("mnist")
    finally:
        released.set()


# settings


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"AWS_ENDPOINT": "http://127.0.0.1:1"}, "nothing listens at http://127.0.0.1:1; check the endpoint"),
        ({"AWS_ENDPOINT": "http://nosuch.invalid"}, "the host of http://nosuch.invalid is not known"),
        ({"AWS_ALLOW_HTTP": "false"}, "plain http is not allowed; set AWS_ALLOW_HTTP=true"),
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_METADATA_ENDPOINT": "http://127.0.0.1:1"},
            "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
    ],
)
def test_a_setting_that_is_wrong_is_named(
    bucket: Faulty, url: str, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], sentence: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    with pytest.raises(RepositoryError, match=sentence) as caught:
        Objects(url).list("mnist")
    assert len(str(caught.value).splitlines()) == 1


def test_a_proxy_that_stands_in_the_way_is_named(bucket: Faulty, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RepositoryError, match="http_proxy is set, and applies unless no_proxy names the store's host"):
        Objects(url).list("mnist")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert Objects(url).list("mnist") == []


def test_https_to_a_store_without_encryption_is_told_as_that(
    bucket: Faulty, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT", bucket.url.replace("http", "https"))
    with pytest.raises(RepositoryError, match="does not speak TLS; write http:// in the endpoint if it is meant"):
        Objects(url).list("mnist")


@pytest.mark.parametrize("name", ["AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_an_endpoint_that_is_no_url_is_refused_before_it_is_used(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "minio:9000")
    with pytest.raises(ConfigError, match=f"{name} is 'minio:9000', expected a URL that begins with https://"):
        Repository("s3://models")
    Repository("memory://")


def test_a_manifest_is_no_version_before_the_store_says_so(bucket: Faulty, url: str) -> None:
    store = Repository(url, writable=True)
    draft = store.claim(b"weights")
    bucket.fail(refuse(403, "AccessDenied"), methods="PUT")
    with pytest.raises(RepositoryError, match=f"cannot write mnist/{draft.version}/card.md: access is denied"), draft:
        draft.add("card.md", b"# A card")
    bucket.heal()
    assert store.unpublished() == []
    assert f"mnist/{draft.version}/{MANIFEST}" not in [found.path for found in store._objects.list("mnist")]
