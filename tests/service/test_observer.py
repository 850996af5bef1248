"""Several observers as one."""

from types import SimpleNamespace

import grpc

from service.call import Call
from service.observer import Observer, Observers


class Listener(Observer):
    def __init__(self) -> None:
        self.heard: list[object] = []

    def swapped(self, loaded) -> None:
        self.heard.append(loaded.version)

    def answered(self, call) -> None:
        self.heard.append(call.code)


class Indifferent(Observer):
    pass


def test_observers_are_notified_in_order_however_they_are_nested():
    first, second = Listener(), Listener()
    group = Observers([Observers([first, Indifferent()]), Observers(), second])
    group.swapped(SimpleNamespace(version="7"))
    group.answered(Call("/Method", grpc.StatusCode.OK, 0.1))
    group.dropped("expired", 3)  # no observer has a method for it
    assert first.heard == second.heard == ["7", grpc.StatusCode.OK]


def test_an_empty_group_of_observers_ignores_every_event():
    none = Observers()
    none.fell_back("8", "7")
    none.computed(SimpleNamespace(version="7"), None, None, 0.1)
