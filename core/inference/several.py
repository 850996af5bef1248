"""Several digits in one picture: among all ways to put the pieces of a line together, the one that reads best.

Over-segmentation and a best path, as in LeCun, Bottou, Bengio & Haffner, "Gradient-based learning applied to document
recognition" (1998), section V: a line is cut wherever two digits may meet, the network looks at every candidate, and
the candidates are the arcs of a graph from the left end of the line to its right end. Dynamic programming (Viterbi)
finds the path with the greatest total score.

The network was trained on whole digits, so the softmax of half a digit, or of two, may well be certain. Normalized
scores cannot tell (section V.A and VI of the paper): the score of an arc is therefore the logit itself,

    z_k = log p(k | x) + log Σ_j exp(z_j),

whose second term, the negative energy of LeCun et al., "A tutorial on energy-based learning" (2006), is small for what
is unlike a digit. It is measured from the most digit-like candidates of the same picture, because each version of a
network has a scale of its own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import NoDigitError
from core.imaging import LATEST, to_digit
from core.imaging.components import Box
from core.imaging.many import MOST_DIGITS, Line, segment
from core.inference.predict import Predictor

Digit = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

WEIGHT = 0.53  # of a logit against the costs of a shape
BEST = 0.97  # quantile of the largest logits from which the others are measured
WORST = -12.0  # the lowest score: one piece of dirt does not decide how the rest of a line is read


@dataclass(frozen=True, eq=False)
class Found:
    """One digit of a picture with several.

    Attributes:
        box: Left, top, right and bottom, in pixels of the upright picture; right and bottom are exclusive.
        digit: The most probable digit.
        confidence: Its probability.
        probabilities: (K,) float32, the probability of each class.
        digitness: How likely this is a digit at all, 0 … 1; 1 in a version that cannot tell.
        rejected: Whether the version holds it for something else than a digit.
        image: The digit as the network saw it: uint8 (28, 28), 0 is background and 255 is ink.
    """

    box: Box
    digit: int
    confidence: float
    probabilities: Floats
    digitness: float
    rejected: bool
    image: Digit


def read_many(
    picture: Image.Image, predictor: Predictor, *, framing: int = LATEST, most: int = MOST_DIGITS
) -> list[Found]:
    """The digits in an upright picture, line by line from top to bottom, each from left to right.

    Points and hyphens between digits are skipped. A single digit is framed by `to_digit`, so its answer is the same.
    Several digits are always cut out as this code does it, whatever the version of the framing.

    Args:
        picture: Any size and mode, as for `core.imaging.many.segment`.
        predictor: The version that reads the digits. It sees at most some 20 candidates for each of `most` digits.
        framing: The version of the framing of a single digit.
        most: The largest number of digits.

    Raises:
        NoDigitError: Nothing is written in the picture, or there is only noise.
        PictureError: More than `most` strokes that may be digits.
    """
    lines = segment(picture, most=most)
    logits = predictor.logits(np.stack([candidate.image for line in lines for candidate in line.candidates]))
    likely = logits.max(axis=1).astype(np.float64)
    score = np.maximum(WORST, WEIGHT * np.minimum(0, likely - np.quantile(likely, BEST)))
    chosen = []
    for line in lines:
        mine, score = score[: len(line.candidates)], score[len(line.candidates) :]
        chosen += [line.candidates[number] for number in best_path(line, mine)]
    images = np.stack([candidate.image for candidate in chosen])
    if len(chosen) == 1:
        images[0] = _alone(picture, framing, images[0])
    return _answers(predictor, [candidate.box for candidate in chosen], images)


def best_path(line: Line, score: Doubles) -> list[int]:
    """The candidates of the path with the greatest total of score less cost, from left to right.

    Args:
        line: Every piece of it is a candidate by itself, so that there always is a path.
        score: How much each candidate looks like a digit, in nats, (N,).

    Returns:
        Their numbers in `line.candidates`; each begins where the one before it ends.
    """
    total = np.full(line.pieces + 1, -np.inf)  # of the best path from the left end to each place between pieces
    total[0] = 0
    arrived = np.zeros(line.pieces + 1, np.intp)  # by which candidate
    for number in sorted(range(len(line.candidates)), key=lambda number: line.candidates[number].last):
        candidate = line.candidates[number]
        reached = total[candidate.first] + score[number] - candidate.cost
        if reached > total[candidate.last]:
            total[candidate.last], arrived[candidate.last] = reached, number
    path: list[int] = []
    place = line.pieces
    while place:
        path.append(int(arrived[place]))
        place = line.candidates[path[-1]].first
    return path[::-1]


def _alone(picture: Image.Image, framing: int, image: Digit) -> Digit:
    """The only digit of a picture, found and framed as a single digit is; `image` where that finds none."""
    try:
        return to_digit(picture, framing)
    except NoDigitError:
        return image


def _answers(predictor: Predictor, boxes: list[Box], images: Digit) -> list[Found]:
    """What the predictor says of the digits at last, (N, 28, 28), in their boxes."""
    answers = predictor.answers(images)
    return [
        Found(
            box=box,
            digit=int(row.argmax()),
            confidence=float(row.max()),
            probabilities=row,
            digitness=float(digitness),
            rejected=bool(rejected),
            image=image,
        )
        for box, row, digitness, rejected, image in zip(
            boxes, answers.probabilities, answers.digitness, answers.rejected, images, strict=True
        )
    ]
