"""The benchmark of the page: real servers, and a few people who draw for a short time."""

import io

import numpy as np
from PIL import Image

from benchmarks import web
from benchmarks.people_drawing import FRAMES, SIDE, drawings


def test_a_drawing_grows_from_frame_to_frame_on_white_paper():
    for drawing in drawings(20):
        pages = [np.asarray(Image.open(io.BytesIO(frame))) for frame in drawing.frames]
        assert len(pages) == FRAMES
        assert all(page.shape == (SIDE, SIDE) and page[0, 0] == 255 for page in pages)
        ink = [int((page < 128).sum()) for page in pages]
        assert ink == sorted(ink)
        assert ink[0] < ink[-1]


def test_people_who_draw_get_answers_and_every_figure_is_shown():
    results = web.measure(crowd=3, seconds=4, rounds=1, repository=None)
    assert [result.case for result in results] == [
        "3 people: p95 of an answer",
        "3 people: p95 from lifting the pen",
        "3 people: p95 of an explanation",
        "3 people: answers",
        "3 people: read right",
    ]
    assert all(result.ours > 0 for result in results)
    assert results[0].theirs == web.LATENCY_LIMIT
