"""Infer requests in JSON, and with binary tensors: the same answers as over gRPC, or a sentence about the request."""

import base64
import json
import math

import numpy as np

from tests.service.harness import STROKE, assert_same_answer, expected
from tests.service.tiny_model import publish
from tests.service.web.rest.asking import INFER, asked, binary_request, load, output, pixels_request


def test_pixels_are_answered_as_over_grpc(web_server, repository, pixels):
    status, found = asked(web_server, "POST", INFER, pixels_request(pixels[np.newaxis], id="a/7"))
    assert (status, found["model_name"], found["model_version"], found["id"]) == (200, "mnist", "1", "a/7")
    assert_same_answer(output(found, "probabilities"), expected(repository, 1, pixels))
    assert output(found, "digit") == [int(np.argmax(output(found, "probabilities")))]
    assert [each["shape"] for each in found["outputs"]] == [[1, 10], [1]]
    assert len(found["parameters"]["weights_sha256"]) == 64


def test_a_version_in_the_address_answers(web_server, repository, pixels):
    publish(repository, seed=2, promote=False)
    load(web_server, 2)
    request = pixels_request(pixels[np.newaxis])
    status, found = asked(web_server, "POST", "/v2/models/mnist/versions/2/infer", request)
    assert (status, found["model_version"]) == (200, "2")
    assert_same_answer(output(found, "probabilities"), expected(repository, 2, pixels))


def test_data_may_be_nested(web_server, pixels):
    flat = asked(web_server, "POST", INFER, pixels_request(pixels[np.newaxis]))[1]
    request = pixels_request(pixels[np.newaxis])
    for shape, data in (([1, 28, 28], [pixels.tolist()]), ([1, 784], [pixels.ravel().tolist()])):
        request["inputs"][0] |= {"shape": shape, "data": data}
        assert asked(web_server, "POST", INFER, request)[1]["outputs"] == flat["outputs"]


def test_float32_is_written_as_short_as_it_is(web_server, pixels):
    _, body = web_server.ask("POST", INFER, json.dumps(pixels_request(pixels[np.newaxis])))
    for number in output(json.loads(body), "probabilities"):
        assert len(f"{number:.9g}") >= len(repr(number)) or repr(number).endswith("e-05")
        assert np.float32(number) == np.float32(repr(number))


def test_numbers_of_type_fp32_are_answered(web_server, pixels):
    images = np.stack([STROKE, STROKE]).reshape(2, 784).astype(np.float32) / 255
    status, found = asked(web_server, "POST", INFER, pixels_request(images))
    assert (status, found["parameters"]["pixels_scaled"]) == (200, 2)


def test_encoded_pictures_are_base64_or_data_urls(web_server, png):
    text = base64.b64encode(png).decode()
    wrapped = "\n".join(text[at : at + 76] for at in range(0, len(text), 76))
    data = [text, wrapped, "data:image/png;base64," + text]
    tensor = {"name": "image", "datatype": "BYTES", "shape": [3], "data": data}
    status, found = asked(web_server, "POST", INFER, {"inputs": [tensor]})
    digits = output(found, "digit")
    assert (status, len(digits), len(set(digits))) == (200, 3, 1)


def test_outputs_are_those_that_are_named_in_their_order(web_server, pixels):
    wanted = [{"name": "digit"}, {"name": "probabilities", "parameters": {"classification": 2}}]
    _, found = asked(web_server, "POST", INFER, pixels_request(pixels[np.newaxis], outputs=wanted))
    assert [each["name"] for each in found["outputs"]] == ["digit", "probabilities"]
    best, second = output(found, "probabilities")
    assert best.split(":")[1] == str(output(found, "digit")[0])
    assert float(best.split(":")[0]) >= float(second.split(":")[0])


def test_binary_tensors_go_both_ways(web_server, repository, pixels):
    images = np.stack([pixels, STROKE])
    body, header = binary_request(images, binary_data_output=True)
    response, answer = web_server.ask("POST", INFER, body, header)
    length = int(response.headers["inference-header-content-length"])
    document, raw = json.loads(answer[:length]), answer[length:]
    sizes = [each["parameters"]["binary_data_size"] for each in document["outputs"]]
    assert (response.headers["content-type"], sizes) == ("application/octet-stream", [80, 16])
    found = np.frombuffer(raw[:80], "<f4").reshape(2, 10)
    assert_same_answer(found[0], expected(repository, 1, pixels))
    assert np.array_equal(np.frombuffer(raw[80:], "<i8"), found.argmax(axis=1))
    assert all("data" not in each for each in document["outputs"])


def test_each_output_chooses_its_form_over_that_of_the_request(web_server, pixels):
    wanted = [{"name": "digit", "parameters": {"binary_data": False}}, {"name": "probabilities"}]
    request = pixels_request(pixels[np.newaxis], outputs=wanted, parameters={"binary_data_output": True})
    response, answer = web_server.ask("POST", INFER, json.dumps(request))
    length = int(response.headers["inference-header-content-length"])
    digit, probabilities = json.loads(answer[:length])["outputs"]
    assert (len(digit["data"]), probabilities["parameters"]) == (1, {"binary_data_size": 40})
    assert len(answer) == length + 40


def test_parameters_keep_their_types(web_server, pixels):
    request = pixels_request(pixels[np.newaxis])
    for parameters in ({"timeout": 60_000_000}, {"mine": "x", "more": 1.5, "most": True}, {"huge": 2**64 - 1}):
        assert asked(web_server, "POST", INFER, request | {"parameters": parameters})[0] == 200
    for parameters, words in (
        ({"timeout": 1.5}, "'timeout' is a double_param"),
        ({"timeout": True}, "'timeout' is a bool_param"),
        ({"priority": "1"}, "'priority' is a string_param"),
        ({"sequence_id": 7}, "leave it out"),
    ):
        status, found = asked(web_server, "POST", INFER, request | {"parameters": parameters})
        assert (status, words in found["error"]) == (400, True), found


def test_null_stands_for_what_is_left_out(web_server, pixels):
    request = pixels_request(pixels[np.newaxis], id=None, outputs=None, parameters=None)
    request["inputs"][0]["parameters"] = {"content_type": None}
    assert asked(web_server, "POST", INFER, request)[0] == 200


def test_a_deadline_that_passes_is_504(web_server, png):
    tensor = {"name": "image", "datatype": "BYTES", "shape": [30], "data": [base64.b64encode(png).decode()] * 30}
    status, found = asked(web_server, "POST", INFER, {"inputs": [tensor], "parameters": {"timeout": 1}})
    assert (status, list(found)) == (504, ["error"])


IMAGE = {"name": "image", "datatype": "UINT8", "shape": [1, 784], "data": [0] * 784}


WRONG_INPUTS = [
    ({"data": [0] * 783}, "783 elements in data, expected 784"),
    ({"data": [256] * 784}, "ranges from 256 to 256; UINT8 is 0 to 255"),
    ({"data": [-1] * 784}, "ranges from -1 to -1"),
    ({"data": [0.5] * 784}, "whole numbers"),
    ({"data": [True] * 784}, "whole numbers"),
    ({"data": ["1"] * 784}, "whole numbers"),
    ({"data": [[1], 2]}, "evenly nested"),
    ({"data": [None] * 784}, "whole numbers"),
    ({"data": "text"}, "data is a text, expected a list"),
    ({"data": None}, "neither data nor binary_data_size"),
    ({"datatype": "FP32", "data": ["x"] * 784}, "must be numbers"),
    ({"datatype": "FP32", "data": [1e300] * 784}, "image"),
    ({"datatype": "INT64"}, "datatype 'INT64' is not supported"),
    ({"datatype": "nonsense"}, "datatype 'nonsense' is unknown"),
    ({"datatype": 7}, "is a number, expected a text"),
    ({"datatype": "BYTES", "shape": [1], "data": ["no base64!"]}, "element 0 of data is not base64"),
    ({"datatype": "BYTES", "shape": [1], "data": ["é"]}, "is not base64"),
    ({"datatype": "BYTES", "shape": [1], "data": [7]}, "expected a text"),
    ({"datatype": "BYTES", "shape": [1], "data": ["aGVsbG8="]}, "element 0 of 1"),
    ({"name": "other"}, "unknown input 'other'"),
    ({"name": None}, "the name of an input is missing"),
    ({"shape": [0, 784], "data": []}, "announces 0 pictures"),
    ({"shape": "x"}, "shape must be a list"),
    ({"shape": [1.0, 784]}, "whole numbers"),
    ({"shape": [-1, 784]}, "whole numbers"),
    ({"shape": [2**63]}, "whole numbers"),
    ({"shape": [1] * 9}, "at most 8"),
    ({"shape": [2**40, 2**40]}, "elements in data"),
    ({"parameters": {"binary_data_size": 784}}, "has data and binary_data_size"),
    ({"data": None, "parameters": {"binary_data_size": 784}}, "0 bytes are left behind the JSON"),
    ({"data": None, "parameters": {"binary_data_size": -1}}, "expected a number of bytes"),
    ({"data": None, "parameters": {"binary_data_size": True}}, "is a truth value"),
    ({"data": None, "parameters": {"shared_memory_region": "x"}}, "shared memory"),
    ({"parameters": {"x": [1]}}, "parameter 'x' is a list"),
    ({"parameters": {"x": {}}}, "parameter 'x' is an object"),
    ({"parameters": 7}, "parameters is a number, expected an object"),
    ({"parameters": {str(n): n for n in range(65)}}, "at most 64"),
]


def test_a_wrong_input_is_400_with_the_reason(web_server):
    for change, words in WRONG_INPUTS:
        status, found = asked(web_server, "POST", INFER, {"inputs": [IMAGE | change]})
        assert (status, list(found)) == (400, ["error"]), words
        assert words in found["error"]


MALFORMED = [
    (b"", "not valid JSON"),
    (b"{", "not valid JSON"),
    (b"[]", "no object"),
    (b"7", "no object"),
    (b"[" * 5000, "not valid JSON"),
    (b'{"inputs": NaN}', "not valid JSON"),
    (b'{"id": 7}', "id is a number, expected a text"),
    (b'{"inputs": {}}', "inputs must be a list of objects"),
    (b'{"inputs": [7]}', "inputs must be a list of objects"),
    (b'{"outputs": [{}]}', "the name of an output is missing"),
    (b'{"parameters": {"binary_data_output": 1}}', "expected true or false"),
    (b'{"outputs": [{"name": "digit", "parameters": {"binary_data": "yes"}}]}', "expected true or false"),
    (b'{"inputs": [' + b", ".join([b"{}"] * 65) + b"]}", "at most 64"),
    (b"{}", "the request has no input"),
    ("ä".encode("latin-1"), "not valid JSON"),
]


def test_a_malformed_document_is_400(web_server):
    for body, words in MALFORMED:
        status, found = asked(web_server, "POST", INFER, body, Content_Type="application/json")
        assert (status, words in found["error"]) == (400, True), found


def test_a_wrong_length_of_the_json_is_400(web_server, pixels):
    body, _ = binary_request(pixels[np.newaxis])
    for length in ("-1", "x", "", "99999", "1" * 30, "1.0"):
        status, found = asked(web_server, "POST", INFER, body, Inference_Header_Content_Length=length)
        assert (status, "Inference-Header-Content-Length" in found["error"]) == (400, True)


def test_bytes_that_belong_to_no_input_are_400(web_server, pixels):
    body, header = binary_request(pixels[np.newaxis])
    response, answer = web_server.ask("POST", INFER, body + b"x", header)
    assert (response.status, b"1 bytes are left" in answer) == (400, True)


def test_what_is_no_number_is_null_in_json():
    from service.web.rest.replies import of_json

    assert of_json({"a": math.nan, "b": np.array([np.inf, 0.1], np.float32)}).body == b'{"a":null,"b":[null,0.1]}'
    assert of_json({"a": 2**64 - 1, "b": -(2**63)}).body == b'{"a":18446744073709551615,"b":-9223372036854775808}'
