"""An unchanged tritonclient does all of its calls."""

import numpy as np
import pytest

from core.imaging import digit_from_bytes
from tests.patience import eventually
from tests.service.api.inference.triton_process import tritonclient
from tests.service.harness import STROKE, assert_same_answer, expected
from tests.service.tiny_model import publish


@pytest.fixture(scope="module")
def triton():
    with tritonclient() as client:
        yield client


@pytest.fixture
def address(repository, folder, serve):
    """Versions 1 and 2; 2 is the champion, and both are served."""
    publish(repository, seed=1)
    publish(repository, seed=2)
    return serve(folder, serve_also="1", max_batch=64).address


def test_it_gets_the_descriptions_of_server_and_model(triton, address):
    assert triton("ask", address, "is_server_live")
    assert triton("ask", address, "is_server_ready")
    assert triton("ask", address, "is_model_ready", "mnist", "champion")
    assert triton("ask", address, "get_server_metadata", as_json=True)["name"] == "numeral"
    eventually(lambda: triton("ask", address, "is_model_ready", "mnist", "1"))
    metadata = triton("ask", address, "get_model_metadata", "mnist", as_json=True)
    assert metadata["versions"] == ["1", "2"]
    assert metadata["inputs"] == [{"name": "image", "datatype": "UINT8", "shape": ["-1", "784"]}]
    assert [output["name"] for output in metadata["outputs"]] == ["probabilities", "digit"]
    config = triton("ask", address, "get_model_config", "mnist", "1", as_json=True)["config"]
    assert (config["name"], config["max_batch_size"], config["backend"]) == ("mnist", 64, "numeral")
    assert config["input"] == [{"name": "image", "data_type": "TYPE_UINT8", "dims": ["784"]}]
    assert config["output"][0] == {"name": "probabilities", "data_type": "TYPE_FP32", "dims": ["10"]}
    assert config["version_policy"] == {"specific": {"versions": ["1", "2"]}}
    assert config["parameters"]["version"] == {"string_value": "1"}
    index = triton("ask", address, "get_model_repository_index", as_json=True)["models"]
    assert [(model["version"], model["state"]) for model in index] == [("1", "READY"), ("2", "READY")]


def test_it_infers_from_pixels_and_from_encoded_pictures(triton, repository, address, pixels, png):
    of_pixels, of_png = expected(repository, 2, pixels), expected(repository, 2, digit_from_bytes(png))
    batch = np.stack([pixels] * 3)
    for array, wanted in (
        (batch, of_pixels),
        (batch.reshape(3, 784), of_pixels),
        (batch.astype(np.float32), of_pixels),
        (np.array([png] * 3, object), of_png),
    ):
        answer = triton("infer", address, array, request_id="abc")
        assert_same_answer(answer["outputs"]["probabilities"], [wanted] * 3)
        assert answer["outputs"]["digit"].tolist() == [np.argmax(wanted)] * 3
        assert (answer["version"], answer["id"]) == ("2", "abc")
        assert len(answer["parameters"]["weights_sha256"]) == 64


def test_it_infers_by_version_and_by_alias_and_batches_up_to_the_limit(triton, address, pixels):
    eventually(lambda: triton("ask", address, "is_model_ready", "mnist", "1"))
    for wanted, version in (("1", "1"), ("2", "2"), ("champion", "2"), ("", "2")):
        assert triton("infer", address, pixels[np.newaxis], model_version=wanted)["version"] == version
    for size in (1, 2, 63, 64):
        answer = triton("infer", address, np.tile(STROKE.reshape(1, 784), (size, 1)).astype(np.float32))
        assert answer["outputs"]["probabilities"].shape == (size, 10)
    status, sentence = triton("infer", address, np.zeros((65, 784), np.uint8))
    assert status == "StatusCode.INVALID_ARGUMENT"
    assert "65 pictures" in sentence


def test_it_chooses_outputs_and_classes(triton, address, pixels):
    batch = pixels[np.newaxis]
    assert list(triton("infer", address, batch, [("digit", 0)])["outputs"]) == ["digit"]
    answer = triton("infer", address, batch, [("digit", 0), ("probabilities", 3)])["outputs"]
    assert list(answer) == ["digit", "probabilities"]
    best = answer["probabilities"][0][0].decode().split(":")
    assert int(best[1]) == int(best[2]) == answer["digit"][0]


def test_it_sets_parameters_of_its_own_and_the_usual_ones(triton, address, pixels):
    options = {"sequence_id": 0, "priority": 0, "timeout": 60_000_000, "client_timeout": 60}
    answer = triton("infer", address, pixels[np.newaxis], parameters={"mine": "x", "more": 1}, **options)
    assert answer["version"] == "2"


def test_its_timeout_is_a_deadline_and_what_cannot_be_honored_is_refused(triton, address, pixels, png):
    late = triton("infer", address, np.array([png] * 30, object), timeout=1)
    assert late[0] == "StatusCode.DEADLINE_EXCEEDED"
    for options in ({"sequence_id": 5, "sequence_start": True}, {"priority": 1}):
        status, sentence = triton("infer", address, pixels[np.newaxis], **options)
        assert (status, "leave it out" in sentence) == ("StatusCode.INVALID_ARGUMENT", True)


def test_it_is_told_how_many_of_its_images_were_scaled_or_inverted(triton, address):
    images = np.stack([STROKE, 255 - STROKE, STROKE]).astype(np.float32)
    assert triton("infer", address, images / 255)["parameters"].items() >= {
        ("pixels_scaled", 3),
        ("pixels_inverted", 1),
    }
    assert triton("infer", address, images[:1])["parameters"].keys() == {"weights_sha256"}


def test_it_infers_asynchronously(triton, address, pixels):
    answers = triton("infer_later", address, [pixels[np.newaxis]] * 20)
    assert [answer["version"] for answer in answers] == ["2"] * 20


def test_it_infers_in_a_stream(triton, address, pixels):
    good, bad = pixels.reshape(1, 784), np.zeros((1, 785), np.uint8)
    answers = triton("stream", address, [good, bad] * 10)
    assert [answer["id"] for answer in answers[::2]] == [str(number) for number in range(0, 20, 2)]
    assert all("785" in sentence for sentence in answers[1::2])


def test_it_reads_statistics(triton, address, pixels):
    triton("infer", address, np.stack([pixels] * 4))
    (found,) = triton("ask", address, "get_inference_statistics", "mnist", "2", as_json=True)["model_stats"]
    assert (found["inference_count"], found["execution_count"]) == ("4", "1")
    assert found["inference_stats"]["success"]["count"] == "1"


def test_it_loads_and_unloads(triton, repository, folder, serve):
    for seed in (1, 2, 3):
        publish(repository, seed=seed)
    address = serve(folder).address
    triton("ask", address, "unload_model", "mnist")
    assert not triton("ask", address, "is_model_ready", "mnist")
    status, _ = triton("infer", address, STROKE.reshape(1, 784))
    assert status == "StatusCode.UNAVAILABLE"
    triton("ask", address, "load_model", "mnist")
    assert triton("ask", address, "is_model_ready", "mnist")
    assert not triton("ask", address, "is_model_ready", "mnist", "1")
    one = '{"version_policy": {"specific": {"versions": [1]}}}'
    triton("ask", address, "load_model", "mnist", config=one)
    assert triton("infer", address, STROKE.reshape(1, 784), model_version="1")["version"] == "1"
    triton("ask", address, "load_model", "mnist", config='{"version_policy": {"latest": {"num_versions": 2}}}')
    assert triton("ask", address, "is_model_ready", "mnist", "2")


def test_calls_that_are_not_supported_are_unimplemented(triton, address):
    for method in ("get_system_shared_memory_status", "get_trace_settings", "get_log_settings"):
        assert triton("ask", address, method)[0] == "StatusCode.UNIMPLEMENTED"


def test_its_asyncio_client_does_the_same(triton, repository, folder, serve, pixels):
    publish(repository, seed=1)
    found = triton("aio", serve(folder).address, pixels[np.newaxis])
    assert all(found[name] for name in ("live", "ready", "model ready", "unloaded"))
    assert (found["server"], found["model"], found["config"]) == ("numeral", "mnist", "mnist")
    assert found["index"] == [{"name": "mnist", "version": "1", "state": "READY"}]
    assert found["infer"]["version"] == "1"
    assert [answer["id"] for answer in found["stream"]] == ["0", "1", "2", "3", "4"]
    assert found["statistics"]["model_stats"][0]["inference_stats"]["success"]["count"] == "6"
