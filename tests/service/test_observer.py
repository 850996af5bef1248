"""Several observers as one."""

from types import SimpleNamespace

import grpc

from service.call import Call
from service.observer import Observer, Observers


class Heard(Observer):
    def __init__(self) -> None:
        self.heard: list[object] = []

    def swapped(self, loaded) -> None:
        self.heard.append(loaded.version)

    def answered(self, call) -> None:
        self.heard.append(call.code)


class Deaf(Observer):
    pass


def test_each_is_told_in_its_turn_however_they_are_nested():
    first, second = Heard(), Heard()
    told = Observers([Observers([first, Deaf()]), Observers(), second])
    told.swapped(SimpleNamespace(version="7"))
    told.answered(Call("/Method", grpc.StatusCode.OK, 0.1))
    told.dropped("expired", 3)  # nobody listens
    assert first.heard == second.heard == ["7", grpc.StatusCode.OK]


def test_none_at_all_may_be_told_everything():
    nobody = Observers()
    nobody.fell_back("8", "7")
    nobody.computed(SimpleNamespace(version="7"), None, None, 0.1)
