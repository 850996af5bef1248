"""One client floods a real server, and another is served all the same."""

import threading

import grpc
import pytest

from protos.numeral.v1.recognizer_pb2 import RecognizeRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.recognition import recognize, turns
from service.server.assembly import MOST_DECODERS
from tests.service.harness import drawing, eventually
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


def test_a_client_is_served_before_what_another_has_queued(repository, folder, serve, tokens, monkeypatch):
    publish(repository, seed=1)
    asked, begun, free = [], [], threading.Event()
    large, small = drawing(70), drawing(50)
    truly_effort, truly_decode = turns.effort, recognize.decode

    def noticed(data, limits):
        asked.append(data)
        return truly_effort(data, limits)

    def held(data, *, limits):
        begun.append(data)
        assert free.wait(60)
        return truly_decode(data, limits=limits)

    monkeypatch.setattr(turns, "effort", noticed)
    monkeypatch.setattr(recognize, "decode", held)
    with grpc.insecure_channel(serve(folder, tokens_file=tokens).address) as channel:
        call = RecognizerStub(channel).Recognize.future
        flood = [call(RecognizeRequest(encoded=large), metadata=shown(FLOOD), timeout=60) for _ in range(QUEUED)]
        eventually(lambda: len(asked) == QUEUED and begun)
        last = call(RecognizeRequest(encoded=small), metadata=shown(SMALL), timeout=60)
        eventually(lambda: small in asked)
        free.set()
        assert last.result(60).probabilities
        assert all(each.result(60).probabilities for each in flood), "and the others are answered too"
    assert begun.index(small) <= MOST_DECODERS + 1, "it waits for the pictures in progress, and no others"
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
