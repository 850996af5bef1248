"""The order in which a fair queue serves its clients, and what it forecasts."""

from service.recognition import fair
from service.recognition.fair import FairQueue
from tests.floats import by_hand


def queue(**clients: list[float]) -> FairQueue[str]:
    """A queue in which each client has items of these costs waiting: "a0", "a1", …"""
    found: FairQueue[str] = FairQueue()
    for client, costs in clients.items():
        for number, cost in enumerate(costs):
            found.push(client, f"{client}{number}", cost)
    return found


def served(found: FairQueue[str], count: int, *, taken: float | None = None) -> list[str]:
    """The next items; each takes what it costs, or `taken` seconds."""
    items = []
    for _ in range(count):
        client, item, cost = found.pop() or ("", "", 0.0)
        items.append(item)
        found.finish(client, 0.0 if taken is None else taken - cost)
    return items


def test_the_items_of_one_client_are_served_in_their_order():
    assert served(queue(a=[1, 2, 3]), 4) == ["a0", "a1", "a2", ""]


def test_clients_with_equal_items_take_turns():
    assert served(queue(a=[1, 1, 1], b=[1, 1, 1]), 6) == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_a_client_with_costly_items_has_fewer_turns():
    assert served(queue(a=[3, 3], b=[1, 1, 1, 1]), 6) == ["a0", "b0", "b1", "b2", "a1", "b3"]


def test_a_new_client_comes_next_however_much_another_has_queued():
    found = queue(a=[1] * 100)
    assert served(found, 40) == [f"a{number}" for number in range(40)]
    found.push("b", "b0", 5.0)
    assert "b0" in served(found, 2), "at most one item of the other is begun before"


def test_a_new_client_does_not_overtake_those_that_were_idle_longer_than_once():
    found = queue(a=[1] * 10, b=[1] * 10)
    served(found, 10)
    found.push("c", "c0", 1.0)
    found.push("c", "c1", 1.0)
    order = served(found, 6)
    assert sum(item.startswith("c") for item in order[:3]) == 1, "one turn each"


def test_a_client_that_sends_one_item_at_a_time_gets_no_more_than_its_share():
    found = queue(a=[1] * 100)
    turns = {"a": 0, "b": 0}
    found.push("b", "b0", 10.0)
    for number in range(1, 40):
        [item] = served(found, 1)
        turns[item[0]] += 1
        if item[0] == "b":
            found.push("b", f"b{number}", 10.0)
    assert turns["a"] >= 8 * turns["b"]


def test_what_an_item_really_took_is_charged_to_its_client():
    found = queue(a=[1, 1], b=[1, 1, 1, 1])
    client, _, cost = found.pop() or ("", "", 0.0)
    found.finish(client, 3 - cost)
    assert served(found, 5) == ["b0", "b1", "b2", "a1", "b3"]


def test_an_item_that_is_removed_is_not_served_and_costs_nothing():
    found = queue(a=[5, 1], b=[2, 1])
    assert found.remove("a", "a0")
    assert not found.remove("a", "a0")
    assert not found.remove("c", "c0")
    assert found.seconds == by_hand(4.0)
    assert served(found, 4) == ["a1", "b0", "b1", ""]


def test_the_forecast_counts_the_work_before_an_item():
    found = queue(a=[1] * 10)
    assert found.forecast("a", 1) == (10, 11, 10), "its own items come first"
    assert found.forecast("b", 1) == (0, 2, 0), "of the others, what is served meanwhile"
    assert served(found, 3) == ["a0", "a1", "a2"]
    assert found.forecast("a", 1) == (7, 8, 7)


def test_the_past_is_forgotten_once_nothing_is_waiting_or_in_progress():
    found = queue(a=[1] * 5)
    served(found, 5)
    found.push("b", "b0", 1.0)
    found.push("a", "a5", 1.0)
    found.push("b", "b1", 1.0)
    assert served(found, 3) == ["b0", "a5", "b1"]


def test_the_number_of_clients_that_are_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(fair, "MOST_REMEMBERED", 10)
    found = queue(a=[1] * 2)
    found.pop()
    for number in range(100):
        found.push(f"client {number}", "item", 1.0)
        found.pop()
    assert len(found._tags) == 10
