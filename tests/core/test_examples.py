"""The pictures in examples/: what each of them shows is what the version that ships reads."""

import pytest

from core.artifact.repository import Repository
from core.digit import NO_DIGIT
from core.imaging import digit_from_bytes
from core.inference.predict import Predictor, load
from core.shipped import ROOT

EXPECTED = {
    "seven.png": 7,
    "four-on-squared-paper.jpg": 4,
    "nine-in-a-shadow.jpg": 9,
    "a-letter.png": NO_DIGIT,
}


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    found, _ = load(Repository(str(ROOT / "pretrained")), 1)
    return found


def test_every_picture_is_listed_here() -> None:
    assert {path.name for path in (ROOT / "examples").iterdir() if path.suffix in (".png", ".jpg")} == set(EXPECTED)


@pytest.mark.parametrize(("name", "shown"), EXPECTED.items())
def test_a_picture_is_read_as_what_it_shows(predictor: Predictor, name: str, shown: int) -> None:
    image = digit_from_bytes((ROOT / "examples" / name).read_bytes())
    answers = predictor.answers(image[None])
    read = NO_DIGIT if answers.rejected[0] else int(answers.probabilities[0].argmax())
    assert read == shown
