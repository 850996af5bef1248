"""Open Inference Protocol: what is made of the tensors of a request, and of every way in which they can be wrong."""

import struct
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.artifact.manifest import Rejection
from core.errors import PictureError
from core.inference.answers import Answers
from protos.inference.open_inference_pb2 import InferTensorContents, ModelInferRequest, ModelInferResponse
from service.api.inference.inputs import CONTENTS, pictures_of
from service.api.inference.outputs import Wanted, put_outputs, wanted_of
from service.api.inference.tensors import SHAPES
from service.errors import InferRequestError
from service.recognition.answer import Answer
from tests.service.harness import STROKE

Input = ModelInferRequest.InferInputTensor
Output = ModelInferRequest.InferRequestedOutputTensor

LIMIT = 8


def request(datatype="UINT8", shape=(1, 784), raw=None, name="image", **contents) -> ModelInferRequest:
    """One input; `raw` are its raw contents, all else typed ones."""
    tensor = Input(name=name, datatype=datatype, shape=shape)
    if contents:
        tensor.contents.CopyFrom(InferTensorContents(**contents))
    return ModelInferRequest(inputs=[tensor], raw_input_contents=[] if raw is None else [raw])


def elements(*pictures: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(picture)) + picture for picture in pictures)


def pictures(asked: ModelInferRequest):
    found = pictures_of(asked, max_batch=LIMIT)
    return found if isinstance(found, list) else found.images


def refused(asked: ModelInferRequest) -> str:
    with pytest.raises((InferRequestError, PictureError)) as caught:
        pictures(asked)
    return str(caught.value)


PIXELS = np.random.default_rng(3).integers(0, 256, (2, 28, 28), np.uint8)
FLAT = PIXELS.ravel()


@pytest.mark.parametrize("shape", [(2, 784), (2, 28, 28)])
@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"raw": FLAT.tobytes()}, id="raw UINT8"),
        pytest.param({"uint_contents": FLAT}, id="typed UINT8"),
        pytest.param({"datatype": "FP32", "raw": FLAT.astype("<f4").tobytes()}, id="raw FP32"),
        pytest.param({"datatype": "FP32", "fp32_contents": FLAT}, id="typed FP32"),
    ],
)
def test_pixels_arrive_in_every_form(shape, asked):
    found = pictures(request(shape=shape, **asked))
    assert found.dtype == np.uint8
    assert np.array_equal(found, PIXELS)


def test_raw_bytes_are_viewed_rather_than_copied():
    assert not pictures(request(shape=(2, 784), raw=FLAT.tobytes())).flags.owndata


def test_fractions_are_rounded():
    values = np.full(784, 3.0, "<f4")
    values[:4] = (0.4, 0.6, 254.5001, 254.9)
    assert pictures(request("FP32", raw=values.tobytes())).ravel()[:5].tolist() == [0, 1, 255, 255, 3]


def test_encoded_pictures_arrive_in_both_forms():
    assert pictures(request("BYTES", (3,), elements(b"one", b"", b"three"))) == [b"one", b"", b"three"]
    assert pictures(request("BYTES", (2,), bytes_contents=[b"one", b"two"])) == [b"one", b"two"]


ONE = STROKE.tobytes()
NAN, INFINITE, NEGATIVE, LARGE = (
    np.where(np.arange(784) == 5, value, 7).astype("<f4").tobytes() for value in (np.nan, np.inf, -0.5, 255.5)
)


def twice(asked: ModelInferRequest) -> ModelInferRequest:
    asked.inputs.append(asked.inputs[0])
    return asked


def with_raw(asked: ModelInferRequest, *raw: bytes) -> ModelInferRequest:
    asked.raw_input_contents.extend(raw)
    return asked


def in_shared_memory() -> ModelInferRequest:
    asked = request()
    asked.inputs[0].parameters["shared_memory_region"].string_param = "region"
    return asked


MALFORMED = [
    ("no input", ModelInferRequest(), "no input"),
    ("a wrong name", request(name="picture", raw=ONE), "'picture'"),
    ("no name", request(name="", raw=ONE), "''"),
    ("an input too many", ModelInferRequest(inputs=[*request().inputs, Input(name="mask")]), "'mask'"),
    ("the same input twice", twice(request(raw=ONE)), "2 times"),
    ("no datatype", request("", raw=ONE), "datatype ''"),
    ("an unknown datatype", request("PNG", raw=ONE), "unknown; expected UINT8, FP32, BYTES"),
    ("a datatype that is not for pixels", request("INT64", raw=ONE), "is not supported by this model"),
    ("many dimensions", request(shape=(1,) * 5000, raw=ONE), "[1, 1, 1, 1, 1, 1, 1, 1, …] of 5,000 dimensions"),
    ("a long name", request(name="x" * 9000, raw=ONE), "(9,000 characters); the only input is 'image'"),
    ("no shape", request(shape=(), raw=ONE), "shape []"),
    ("another number of pixels", request(shape=(1, 785), raw=bytes(785)), "[1, 785]"),
    ("a batch of pictures of another size", request(shape=(1, 28, 29), raw=bytes(812)), "[1, 28, 29]"),
    ("one dimension too few", request(shape=(784,), raw=ONE), "[784]"),
    ("one dimension too many", request(shape=(1, 28, 28, 1), raw=ONE), "[1, 28, 28, 1]"),
    ("encoded pictures in two dimensions", request("BYTES", (1, 1), elements(b"")), "[1, 1]"),
    ("no picture", request(shape=(0, 784), raw=b""), "announces 0 pictures, expected 1 to 8"),
    ("a negative number of pictures", request(shape=(-1, 784), raw=ONE), "-1"),
    ("two negative dimensions", request(shape=(-1, -784), raw=ONE), "[-1, -784]"),
    ("more pictures than allowed", request(shape=(9, 784), raw=ONE * 9), "announces 9 pictures, expected 1 to 8"),
    ("more elements than there are numbers", request(shape=(2**63 - 1, 28, 28), raw=ONE), "expected 1 to 8"),
    ("dimensions whose product overflows to 784", request(shape=(2**62, 784), raw=b""), "expected 1 to 8"),
    ("a raw byte too few", request(raw=bytes(783)), "783 bytes, expected 784"),
    ("a raw byte too many", request(raw=bytes(785)), "785 bytes, expected 784"),
    ("bytes where numbers are announced", request("FP32", raw=ONE), "784 bytes, expected 3,136"),
    ("raw contents twice", with_raw(request(raw=ONE), ONE), "2 entries"),
    ("raw contents and typed ones", request(raw=ONE, uint_contents=[0] * 784), "as well as raw_input_contents"),
    ("neither", request(), "no contents"),
    ("a typed element too few", request(uint_contents=[0] * 783), "783 elements in uint_contents, expected 784"),
    ("a typed element too many", request(uint_contents=[0] * 785), "785 elements"),
    ("a pixel above 255", request(uint_contents=[0] * 783 + [256]), "ranges from 0 to 256"),
    ("another field", request(int_contents=[0] * 784), "contents in int_contents, expected uint_contents"),
    ("numbers for encoded pictures", request("BYTES", (1,), fp32_contents=[1.0]), "expected bytes_contents"),
    ("two fields", request(uint_contents=[0] * 784, fp32_contents=[0] * 784), "uint_contents and fp32_contents"),
    ("NaN", request("FP32", raw=NAN), "NaN; expected 0 (background) to 255 (ink)"),
    ("infinity", request("FP32", raw=INFINITE), "inf"),
    ("a negative pixel", request("FP32", raw=NEGATIVE), "-0.5 to 7"),
    ("a pixel that is too large", request("FP32", raw=LARGE), "255.5"),
    ("typed NaN", request("FP32", fp32_contents=[float("nan")] * 784), "NaN"),
    ("no element", request("BYTES", (1,), b""), "ends after 0 elements, expected 1"),
    ("half a length", request("BYTES", (2,), elements(b"one") + b"\1\0"), "ends after 1 elements"),
    ("an element cut off", request("BYTES", (1,), elements(b"four")[:-1]), "announces 4 bytes, but 3 are left"),
    ("an enormous element", request("BYTES", (1,), b"\xff\xff\xff\xff"), "announces 4,294,967,295 bytes"),
    ("an element too many", request("BYTES", (1,), elements(b"one", b"two")), "7 bytes after the last"),
    ("shared memory", in_shared_memory(), "shared memory"),
]


@pytest.mark.parametrize(("asked", "words"), [pytest.param(*row[1:], id=row[0]) for row in MALFORMED])
def test_a_malformed_request_is_refused_with_what_is_wrong(asked, words):
    assert words in refused(asked)


@pytest.mark.parametrize(
    ("values", "scaled", "inverted"),
    [
        (PIXELS, 0, 0),
        (PIXELS / 255, 2, 0),
        (255 - np.stack([STROKE] * 2), 0, 2),
        (np.stack([STROKE, 255 - STROKE]) / 255, 2, 1),
    ],
)
def test_what_was_changed_in_the_images_is_counted(values, scaled, inverted):
    found = pictures_of(request("FP32", (2, 784), values.astype("<f4").tobytes()), max_batch=LIMIT)
    assert (found.scaled, found.inverted) == (scaled, inverted)


@st.composite
def requests(draw: st.DrawFn) -> ModelInferRequest:
    """Anything that parses, most of it nearly right."""
    count = draw(st.integers(-1, LIMIT + 1))
    dimension = st.sampled_from([0, 1, 27, 28, 784, -1, 2**62, count])
    shapes = st.one_of(
        st.sampled_from([(count, 784), (count, 28, 28), (count,)]), st.lists(dimension, max_size=4).map(tuple)
    )
    datatype = draw(st.sampled_from([*SHAPES, *SHAPES, *CONTENTS, "", "uint8"]))
    tensor = Input(name=draw(st.sampled_from(["image"] * 4 + ["", "x"])), datatype=datatype, shape=draw(shapes))
    found = ModelInferRequest(inputs=[tensor] * draw(st.sampled_from([1, 1, 1, 1, 0, 2])))
    size = max(count, 0) * draw(st.sampled_from([784, 784, 784, 1, 785]))
    values = draw(
        st.sampled_from(
            [
                np.resize(FLAT, size),
                np.zeros(size),
                np.full(size, 255.0),
                np.full(size, np.nan),
                np.full(size, 1e30),
                -np.ones(size),
            ]
        )
    )
    some = [draw(st.binary(max_size=9))] * max(count, 0)
    raw = st.sampled_from(
        [values.astype("<f4").tobytes(), bytes(size), elements(*some), elements(*some)[:-1], b"", b"\xff" * size]
    )
    found.raw_input_contents.extend(draw(st.lists(raw, max_size=2)))
    if found.inputs and (draw(st.booleans()) or not found.raw_input_contents):
        contents = found.inputs[0].contents
        with np.errstate(invalid="ignore"):
            numbers = np.nan_to_num(values, posinf=300).clip(0, 2**31 - 1).astype(int)
        match draw(st.sampled_from(["uint", "fp32", "bytes", "int", "none"])):
            case "uint":
                contents.uint_contents.extend(numbers)
            case "fp32":
                contents.fp32_contents.extend(values)
            case "bytes":
                contents.bytes_contents.extend(some)
            case "int":
                contents.int_contents.extend(numbers)
    return found


@settings(max_examples=400, deadline=None)
@given(requests())
def test_any_request_is_either_parsed_or_refused(asked):
    try:
        found = pictures(asked)
    except (InferRequestError, PictureError):
        return
    (tensor,) = asked.inputs
    assert 1 <= len(found) == tensor.shape[0] <= LIMIT
    raw = asked.raw_input_contents
    if tensor.datatype == "BYTES":
        assert elements(*found) == (raw[0] if raw else elements(*tensor.contents.bytes_contents))
        return
    if tensor.datatype == "UINT8":
        sent = np.frombuffer(raw[0], np.uint8) if raw else np.array(tensor.contents.uint_contents)
    else:
        sent = np.frombuffer(raw[0], "<f4") if raw else np.array(tensor.contents.fp32_contents)
    assert found.shape[1:] == (28, 28)
    assert np.abs(found.ravel() - sent.astype(float)).max() <= 0.5


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(1, LIMIT))
def test_any_bytes_are_either_complete_elements_or_refused(raw, count):
    try:
        found = pictures(request("BYTES", (count,), raw))
    except InferRequestError:
        return
    assert elements(*found) == raw
    assert len(found) == count


# outputs


def answer(probabilities: np.ndarray, labels: Sequence[str], rejection: Rejection | None = None) -> Answer:
    """The answer of a version to images, of which the second is refused if it can refuse any."""
    manifest = SimpleNamespace(labels=labels, rejection=rejection)
    refused = np.array([False, rejection is not None])[: len(probabilities)]
    sure = np.where(refused, 0.25, 0.75 if rejection else 1.0).astype(np.float32)
    return Answer(SimpleNamespace(manifest=manifest, words="version 3"), Answers(probabilities, sure, refused))


def named(response: ModelInferResponse) -> list[tuple[str, str, list[int]]]:
    return [(output.name, output.datatype, list(output.shape)) for output in response.outputs]


REJECTION = Rejection(scale=1.0, offset=0.0, threshold=0.5)


def test_a_request_that_names_no_outputs_gets_all_of_the_version():
    probabilities = np.array([[0.1, 0.7, 0.2], [0.5, 0.25, 0.25]], np.float32)
    assert wanted_of(ModelInferRequest()) == ()
    put_outputs(response := ModelInferResponse(), answer(probabilities, "abc"), ())
    assert named(response) == [("probabilities", "FP32", [2, 3]), ("digit", "INT64", [2])]
    put_outputs(response := ModelInferResponse(), answer(probabilities, "abc", REJECTION), ())
    assert named(response)[2:] == [("digitness", "FP32", [2]), ("rejected", "BOOL", [2])]
    assert list(response.raw_output_contents[2:]) == [struct.pack("<2f", 0.75, 0.25), b"\x00\x01"]


def test_a_version_that_cannot_refuse_an_image_has_no_such_outputs():
    with pytest.raises(InferRequestError, match="version 3 has no output 'rejected'.*'probabilities' and 'digit'"):
        put_outputs(ModelInferResponse(), answer(np.ones((1, 3), np.float32), "abc"), (Wanted("rejected"),))


def test_outputs_come_in_the_order_of_the_request():
    asked = ModelInferRequest(outputs=[Output(name="digit"), Output(name="probabilities")])
    assert wanted_of(asked) == (Wanted("digit"), Wanted("probabilities"))


def output(name: str, parameter: str = "classification", **value: object) -> Output:
    found = Output(name=name)
    for field, content in value.items():
        setattr(found.parameters[parameter], field, content)
    return found


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        pytest.param([Output(name="logits")], "'logits'", id="unknown"),
        pytest.param([Output(name="")], "''", id="without a name"),
        pytest.param([Output(name="digit")] * 3, "3 times", id="several times"),
        pytest.param([output("digit", int64_param=1)], "no classes", id="classes of a digit"),
        pytest.param([output("probabilities", int64_param=0)], "at least 1", id="no classes"),
        pytest.param([output("probabilities", string_param="3")], "int64_param", id="classes as text"),
        pytest.param([output("digit", "shared_memory_region", string_param="r")], "shared memory", id="shared memory"),
    ],
)
def test_a_malformed_output_is_refused_with_what_is_wrong(outputs, words):
    with pytest.raises(InferRequestError) as caught:
        wanted_of(ModelInferRequest(outputs=outputs))
    assert words in str(caught.value)


def test_outputs_are_raw_little_endian_in_row_major_order():
    probabilities = np.array([[0.1, 0.7, 0.2], [0.5, 0.25, 0.25]], np.float32)
    response = ModelInferResponse(id="7")
    put_outputs(response, answer(probabilities, "abc"), (Wanted("digit"), Wanted("probabilities")))
    assert named(response) == [("digit", "INT64", [2]), ("probabilities", "FP32", [2, 3])]
    assert list(response.raw_output_contents) == [struct.pack("<2q", 1, 0), probabilities.astype("<f4").tobytes()]


def test_a_classification_names_the_best_classes_with_their_labels():
    probabilities = np.array([[0.125, 0.625, 0.25], [0.5, 0.25, 0.25]], np.float32)
    response = ModelInferResponse()
    put_outputs(response, answer(probabilities, ("zero", "one", "two")), (Wanted("probabilities", 2),))
    assert (response.outputs[0].datatype, list(response.outputs[0].shape)) == ("BYTES", [2, 2])
    texts = (b"0.625000:1:one", b"0.250000:2:two", b"0.500000:0:zero", b"0.250000:1:one")
    assert response.raw_output_contents[0] == elements(*texts)


def test_a_classification_with_too_many_classes_gives_all_of_them():
    response = ModelInferResponse()
    put_outputs(response, answer(np.full((1, 3), 1 / 3, np.float32), "abc"), (Wanted("probabilities", 99),))
    assert list(response.outputs[0].shape) == [1, 3]
