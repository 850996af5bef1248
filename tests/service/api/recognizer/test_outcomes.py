"""The messages of a batch: the same as if each of their fields had been set."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NoDigitError
from core.inference.answers import Answers
from protos.numeral.v1.recognizer_pb2 import RecognizeBatchResponse
from service.api.recognizer.outcomes import ReplyIds, batch_response, problem, put_answer
from service.recognition.answer import Answer


def answer(rows: Answers, version: str = "3", weights_sha256: str = "ab" * 32) -> Answer:
    return Answer(SimpleNamespace(version=version, weights_sha256=weights_sha256), rows)


def rows(count: int, classes: int = 10, seed: int = 1) -> Answers:
    """Any answers; half of the images are no digits."""
    rng = np.random.default_rng(seed)
    digitness = rng.random(count, np.float32) * rng.integers(0, 2, count)  # 0 for some
    probabilities = rng.dirichlet(np.ones(classes), count).astype(np.float32)
    return Answers(probabilities, digitness.astype(np.float32), digitness < 0.5)


def one_by_one(whole: Answer, errors, ids) -> RecognizeBatchResponse:
    response = RecognizeBatchResponse()
    for row in range(len(whole.rows)):
        put_answer(response.outcomes.add().answer, whole, row, ids)
    for index, error in errors.items():
        response.outcomes[index].CopyFrom(problem(error))
    return response


def twins() -> tuple[ReplyIds, ReplyIds]:
    ids, same = ReplyIds(), ReplyIds()
    same.prefix = ids.prefix
    return ids, same


@given(
    count=st.integers(1, 200),
    classes=st.sampled_from([1, 2, 10, 100]),
    version=st.sampled_from(["1", "31", "1234567", "pretrained"]),
    seed=st.integers(0, 10),
)
def test_every_answer_of_a_batch_is_what_it_would_be_alone(count, classes, version, seed):
    ids, same = twins()
    whole = answer(rows(count, classes, seed), version)
    for _ in range(2):
        assert batch_response(whole, {}, ids) == one_by_one(whole, {}, same)


def test_any_digit_can_be_the_most_probable_and_of_two_equal_ones_the_first_is():
    certain = np.concatenate([np.eye(10, dtype=np.float32), np.full((1, 10), 0.1, np.float32)])
    response = batch_response(answer(Answers(certain, np.ones(11, np.float32), np.zeros(11, bool))), {}, ReplyIds())
    assert [outcome.answer.digit for outcome in response.outcomes] == [*range(10), 0]
    assert response.outcomes[0].answer.confidence == 1


def test_an_answer_says_why_an_image_is_no_digit_and_keeps_the_best_guess():
    probabilities = np.full((3, 10), 0.1, np.float32)
    found = Answers(probabilities, np.array([0.9, 0.034, 1e-7], np.float32), np.array([False, True, True]))
    first, second, third = (each.answer for each in batch_response(answer(found), {}, ReplyIds()).outcomes)
    assert (first.rejected, first.digitness) == ("", np.float32(0.9))
    assert second.rejected.startswith(
        "not a digit: the network finds it 3.4% likely that this is a digit at all; write "
    )
    assert "finds it less than 0.1% likely" in third.rejected
    assert list(second.probabilities) == probabilities[1].tolist()


def test_a_picture_without_a_digit_has_a_problem_in_place_of_an_answer():
    ids, same = twins()
    errors = {0: NoDigitError("an empty page"), 3: NoDigitError("nothing but noise")}
    response = batch_response(answer(rows(5)), errors, ids)
    assert response == one_by_one(answer(rows(5)), errors, same)
    assert [outcome.WhichOneof("outcome") for outcome in response.outcomes] == [
        *("problem", "answer", "answer", "problem", "answer")
    ]


def test_ids_of_answers_are_unique_whether_given_one_by_one_or_many_at_once():
    ids = ReplyIds()
    names = [ids.next(), *(ids.prefix + count.decode() for count in ids.counts(20)), ids.next()]
    assert len(set(names)) == 22
    assert {len(name) for name in names} == {32}


def test_answers_of_two_versions_with_the_same_name_carry_their_own_digest():
    for digest in ("ab" * 32, "cd" * 32):
        response = batch_response(answer(rows(2), "1", digest), {}, ReplyIds())
        assert {outcome.answer.weights_sha256 for outcome in response.outcomes} == {digest}
