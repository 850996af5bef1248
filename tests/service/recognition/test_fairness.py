"""One client floods a real server, and another is served all the same."""

import threading

import grpc
import pytest

from protos.numeral.v1.recognizer_pb2 import (
    ExplainRequest,
    LookInsideRequest,
    Picture,
    RecognizeBatchRequest,
    RecognizeManyRequest,
    RecognizeRequest,
    SendFeedbackRequest,
)
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.recognition import recognize, turns
from service.server.assembly import MOST_DECODERS
from tests.patience import eventually
from tests.service.harness import drawing
from tests.service.tiny_model import publish

FLOOD, SMALL = "the-token-of-a-flood", "the-token-of-another"
QUEUED = 40


@pytest.fixture
def tokens(tmp_path):
    file = tmp_path / "tokens"
    file.touch(mode=0o600)
    file.write_text(f"predict:{FLOOD}\npredict:{SMALL}\npredict:the-token-with-a-quota rate=0.001 burst=2\n")
    return str(file)


def shown(token: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {token}")]


LARGE, SMALL_PICTURE = drawing(70), drawing(50)
WAYS = {
    "Recognize": RecognizeRequest(encoded=SMALL_PICTURE),
    "RecognizeBatch": RecognizeBatchRequest(pictures=[Picture(encoded=SMALL_PICTURE)]),
    "RecognizeMany": RecognizeManyRequest(encoded=SMALL_PICTURE),
    "Explain": ExplainRequest(encoded=SMALL_PICTURE),
    "LookInside": LookInsideRequest(encoded=SMALL_PICTURE),
    "SendFeedback": SendFeedbackRequest(encoded=SMALL_PICTURE, digit=1),
}
"""The methods that decode pictures, and a request for each."""


@pytest.mark.parametrize("method", WAYS)
def test_a_client_is_served_before_what_another_has_queued(
    method, repository, folder, serve, tokens, tmp_path, monkeypatch
):
    publish(repository, seed=1)
    asked, begun, free = [], [], threading.Event()
    truly = turns.effort

    def noticed(data, limits):
        asked.append(data)
        return truly(data, limits)

    def held(step):
        def taken(data, *arguments, **options):
            begun.append(data)
            assert free.wait(60)
            return step(data, *arguments, **options)

        return taken

    monkeypatch.setattr(turns, "effort", noticed)
    for name in ("decode", "digit_from_bytes", "many_in"):
        monkeypatch.setattr(recognize, name, held(getattr(recognize, name)))
    server = serve(folder, tokens_file=tokens, feedback=str(tmp_path / "feedback"), max_wait_seconds=600.0)
    with grpc.insecure_channel(server.address) as channel:
        stub = RecognizerStub(channel)
        request = RecognizeRequest(encoded=LARGE)
        flood = [stub.Recognize.future(request, metadata=shown(FLOOD), timeout=60) for _ in range(QUEUED)]
        eventually(lambda: len(asked) == QUEUED and begun)
        last = getattr(stub, method).future(WAYS[method], metadata=shown(SMALL), timeout=60)
        eventually(lambda: SMALL_PICTURE in asked)
        free.set()
        assert last.result(60)
        assert all(each.result(60).probabilities for each in flood), "and the others are answered too"
    assert begun.index(SMALL_PICTURE) <= MOST_DECODERS + 1, "it waits for the pictures in progress, and no others"
    assert len(begun) == QUEUED + 1


def test_a_token_over_its_quota_is_told_when_to_try_again_and_others_are_answered(
    repository, folder, serve, tokens, pixels
):
    publish(repository, seed=1)
    request = RecognizeRequest(pixels=pixels.tobytes())
    with grpc.insecure_channel(serve(folder, tokens_file=tokens).address) as channel:
        recognize = RecognizerStub(channel).Recognize
        for _ in range(2):
            recognize(request, metadata=shown("the-token-with-a-quota"), timeout=60)
        with pytest.raises(grpc.RpcError) as caught:
            recognize(request, metadata=shown("the-token-with-a-quota"), timeout=60)
        recognize(request, metadata=shown(SMALL), timeout=60)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "your token is over its quota" in caught.value.details()
    assert int(dict(caught.value.trailing_metadata())["retry-after-ms"]) > 900_000
