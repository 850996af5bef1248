"""ListVersions, ListMoves and GetDocument over gRPC: what administrators see of the repository."""

from collections.abc import Iterator

import grpc
import pytest

from core.artifact.manifest import MANIFEST, Manifest
from core.artifact.repository import Repository
from protos.numeral.v1.recognizer_pb2 import GetDocumentRequest, ListMovesRequest, ListVersionsRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.versions.documents import DOCUMENTS
from tests.patience import eventually
from tests.service.many_versions import many
from tests.service.tiny_model import publish

PREDICT, ADMIN = "a-token-to-predict", "a-token-to-administer"
Status = grpc.StatusCode


@pytest.fixture
def stub(folder, serve) -> Iterator[RecognizerStub]:
    """A server that follows what the test has published."""
    with grpc.insecure_channel(serve(folder).address) as channel:
        yield RecognizerStub(channel)


def refused(call, request, **options) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=60, **options)
    return caught.value.code(), caught.value.details()


def test_many_versions_are_listed_page_by_page_the_newest_first(repository, folder, request):
    many(repository, folder, 300)
    stub, page, found = request.getfixturevalue("stub"), "", []
    while page or not found:
        response = stub.ListVersions(ListVersionsRequest(page=page), timeout=60)
        assert len(response.versions) == 100
        assert (response.serving, response.policy) == ("1", "champion")
        found += response.versions
        page = response.next_page
    assert [version.model_version for version in found] == [str(number) for number in range(300, 0, -1)]
    assert {version.trouble for version in found} == {""}
    assert {version.recipe for version in found} == {"tiny"}
    last = found[-1]
    assert (list(last.aliases), last.state, last.reason) == (["champion"], "READY", "")
    assert (found[0].state, found[0].reason[:28]) == ("UNAVAILABLE", "not selected by the serving ")


@pytest.mark.parametrize("size", [1, 7, 300, 1000, 2**31 - 1])
def test_a_page_has_the_size_that_was_asked_for_and_at_most_all(repository, folder, request, size):
    many(repository, folder, 12)
    response = request.getfixturevalue("stub").ListVersions(ListVersionsRequest(page_size=size), timeout=60)
    assert len(response.versions) == min(size, 12)
    assert bool(response.next_page) == (size < 12)


@pytest.mark.parametrize("page", ["0", "-1", "01", "nonsense", "4" * 30, "../1"])
def test_a_page_that_no_response_named_is_refused(repository, request, page):
    publish(repository, seed=1)
    stub = request.getfixturevalue("stub")
    for method, message in ((stub.ListVersions, ListVersionsRequest), (stub.ListMoves, ListMovesRequest)):
        code, sentence = refused(method, message(page=page))
        assert code is Status.INVALID_ARGUMENT
        assert "expected the `next_page` of the response before" in sentence
        assert refused(method, message(page_size=-1))[0] is Status.INVALID_ARGUMENT


def test_a_server_without_versions_lists_none_and_says_what_to_do(stub):
    response = stub.ListVersions(ListVersionsRequest(), timeout=60)
    assert (list(response.versions), response.serving, response.next_page) == ([], "", "")
    assert response.why.endswith("publish one with: python -m pipelines retrain")


def test_the_pretrained_version_comes_last_whether_it_answers_or_not(repository, folder, serve, tmp_path):
    shipped = Repository(str(tmp_path / "shipped"), writable=True)
    publish(shipped, seed=7, recipe_name="shipped")
    with grpc.insecure_channel(serve(folder, pretrained=str(tmp_path / "shipped")).address) as channel:
        stub = RecognizerStub(channel)
        response = stub.ListVersions(ListVersionsRequest(), timeout=60)
        [only] = response.versions
        assert (only.model_version, only.state, only.recipe) == ("pretrained", "READY", "shipped")
        assert response.serving == "pretrained"
        for version in ("1", "2"):  # one after the other: the one before the last is kept in memory for a while
            publish(repository, seed=int(version))
            eventually(lambda: stub.ListVersions(ListVersionsRequest(), timeout=60).serving == version)  # noqa: B023
        first = stub.ListVersions(ListVersionsRequest(page_size=2), timeout=60)
        assert [version.model_version for version in first.versions] == ["2", "1"]
        last = stub.ListVersions(ListVersionsRequest(page_size=2, page=first.next_page), timeout=60)
        [version] = last.versions
        assert (version.model_version, version.state, version.recipe) == ("pretrained", "UNAVAILABLE", "shipped")
        assert version.reason == "it answers only until a version is published, or while it is pinned"
        assert last.next_page == ""


def test_a_damaged_manifest_has_a_row_with_its_trouble_and_no_other_fields(repository, folder, request):
    for seed in (1, 2):
        publish(repository, seed=seed, promote=seed == 1)
    (folder / "mnist/2" / MANIFEST).write_bytes(b"{}")
    damaged, sound = request.getfixturevalue("stub").ListVersions(ListVersionsRequest(), timeout=60).versions
    assert damaged.trouble.startswith("mnist/2/manifest.json: ")
    assert (damaged.model_version, damaged.recipe, damaged.HasField("created")) == ("2", "", False)
    assert (sound.trouble, sound.recipe, sound.test_accuracy) == ("", "tiny", 0.5)


def test_the_moves_of_the_champion_are_listed_if_no_alias_is_named(repository, request):
    for seed in (1, 2):
        publish(repository, seed=seed)
    repository.promote(1, by="ada", why="to be tried", alias="challenger")
    stub = request.getfixturevalue("stub")
    first = stub.ListMoves(ListMovesRequest(page_size=1), timeout=60)
    [move] = first.moves
    assert (move.number, move.version, move.previous, move.by, move.why) == (2, "2", "1", "tests", "a new one")
    assert move.at.ToDatetime().year >= 2024
    last = stub.ListMoves(ListMovesRequest(alias="champion", page_size=1, page=first.next_page), timeout=60)
    assert [(each.number, each.version, each.previous) for each in last.moves] == [(1, "1", "")]
    assert last.next_page == ""
    [other] = stub.ListMoves(ListMovesRequest(alias="challenger"), timeout=60).moves
    assert (other.version, other.by, other.why) == ("1", "ada", "to be tried")


def test_an_unknown_alias_is_not_found_and_the_known_ones_are_named(repository, request):
    publish(repository, seed=1)
    code, sentence = refused(request.getfixturevalue("stub").ListMoves, ListMovesRequest(alias="nobody"))
    assert (code, sentence) == (Status.NOT_FOUND, "no alias 'nobody' here; known: champion")


def test_each_document_is_sent_with_its_media_type(repository, folder, request):
    publish(repository, seed=1, documents={name: name.encode() for name in DOCUMENTS if name != MANIFEST})
    publish(repository, seed=2)
    stub = request.getfixturevalue("stub")
    for name, media_type in DOCUMENTS.items():
        response = stub.GetDocument(GetDocumentRequest(name=name, model_version="1"), timeout=60)
        assert response.content == (folder / "mnist/1" / name).read_bytes()
        assert (response.media_type, response.model_version) == (media_type, "1")
    own = stub.GetDocument(GetDocumentRequest(name=MANIFEST), timeout=60)
    assert (own.model_version, Manifest.decode(own.content).version) == ("2", 2)
    code, sentence = refused(stub.GetDocument, GetDocumentRequest(name="report.html"))
    assert (code, sentence) == (Status.NOT_FOUND, "version 2 was published without report.html")


@pytest.mark.parametrize("name", ["", "weights.safetensors", "../1/card.md", "/etc/passwd", "CARD.MD", "x" * 1000])
def test_a_name_that_is_none_of_the_documents_is_refused(repository, request, name):
    publish(repository, seed=1)
    code, sentence = refused(request.getfixturevalue("stub").GetDocument, GetDocumentRequest(name=name))
    assert code is Status.INVALID_ARGUMENT
    assert sentence.endswith("expected one of manifest.json, history.json, report.html, card.md")
    assert len(sentence) < 200


def test_the_document_of_a_pruned_version_is_not_found(repository, request):
    for seed in (1, 2, 3, 4):
        publish(repository, seed=seed)
    repository.prune(keep=1)
    stub = request.getfixturevalue("stub")
    names = {version.model_version for version in stub.ListVersions(ListVersionsRequest(), timeout=60).versions}
    assert "1" not in names
    code, sentence = refused(stub.GetDocument, GetDocumentRequest(name=MANIFEST, model_version="1"))
    assert code is Status.NOT_FOUND
    assert sentence.startswith("no version or alias '1' here")


def test_damaged_documents_are_not_sent(repository, folder, request):
    publish(repository, seed=1, documents={"report.html": b"as it was"})
    (folder / "mnist/1/report.html").write_bytes(b"as it is!")
    stub = request.getfixturevalue("stub")
    code, sentence = refused(stub.GetDocument, GetDocumentRequest(name="report.html"))
    assert code is Status.FAILED_PRECONDITION
    assert "mnist/1/report.html" in sentence


def test_a_token_to_predict_does_not_permit_to_look_at_the_repository(repository, folder, serve, tokens):
    publish(repository, seed=1)
    server = serve(folder, tokens_file=tokens(f"predict:{PREDICT}", f"admin:{ADMIN}"))
    with grpc.insecure_channel(server.address) as channel:
        stub = RecognizerStub(channel)
        calls = [
            (stub.ListVersions, ListVersionsRequest()),
            (stub.ListMoves, ListMovesRequest()),
            (stub.GetDocument, GetDocumentRequest(name=MANIFEST)),
        ]
        for call, message in calls:
            as_admin, as_anybody = ([("authorization", f"Bearer {token}")] for token in (ADMIN, PREDICT))
            assert refused(call, message)[0] is Status.UNAUTHENTICATED
            assert refused(call, message, metadata=as_anybody)[0] is Status.PERMISSION_DENIED
            assert call(message, metadata=as_admin, timeout=60)
