"""For how long somebody has given no sign of life."""

from pipelines.schedule.silence import Silence


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_silence_lasts_from_the_first_look_at_a_number_that_stays() -> None:
    clock = Clock()
    silence = Silence(120, clock)
    found = []
    for _ in range(5):
        found.append(silence.lasts("a", 3))
        clock.now += 30
    assert found == [False, False, False, False, True]


def test_each_new_sign_begins_the_time_again_for_one_alone() -> None:
    clock = Clock()
    silence = Silence(120, clock)
    found = []
    for look in range(5):
        found.append((silence.lasts("a", look // 4), silence.lasts("b", 0)))
        clock.now += 30
    assert found[-1] == (False, True)


def test_a_look_that_comes_late_proves_nothing_as_all_may_have_been_suspended() -> None:
    clock = Clock()
    silence = Silence(120, clock)
    silence.lasts("a", 0)
    clock.now += 3600
    assert not silence.lasts("a", 0)
    clock.now += 60
    assert not silence.lasts("a", 0)
    clock.now += 60
    assert silence.lasts("a", 0)
