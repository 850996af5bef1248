"""How often browsers ask: less often while answers are slow, as often as possible while they are not."""

from service.web.drawing.pause import LEAST, MOST, NARROWER, SLOW, WIDER, Pause


def answered(pause: Pause, seconds: float, times: int) -> float:
    for _ in range(times):
        pause.answered(seconds)
    return pause.seconds


def test_slow_answers_make_the_pause_longer_up_to_a_limit_and_others_shorten_it_again():
    pause = Pause()
    assert pause.seconds == LEAST
    assert answered(pause, 2 * SLOW, 1) == LEAST * WIDER
    assert answered(pause, 2 * SLOW, 1000) == MOST
    assert answered(pause, SLOW / 2, 1) == MOST * NARROWER
    assert answered(pause, SLOW / 2, 10_000) == LEAST


def test_the_pause_rests_where_about_a_fifth_of_the_answers_are_slow():
    pause = Pause()
    answered(pause, 2 * SLOW, 100)
    before = pause.seconds
    for _ in range(100):
        answered(pause, SLOW / 2, 4)
        answered(pause, 2 * SLOW, 1)
    assert before / 2 < pause.seconds < before * 2
