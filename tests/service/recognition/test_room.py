"""How a room of bounded size is shared."""

import pytest

from service.recognition.room import Room


def filled(most: int, **held: int) -> Room:
    room = Room(most)
    for client, amount in held.items():
        room.enter(client, amount)
    return room


@pytest.mark.parametrize(
    ("room", "client", "amount", "reason"),
    [
        (filled(10), "a", 1000, None),  # an empty room takes one call of any size
        (filled(10, a=5), "a", 2, None),
        (filled(10, a=8), "a", 1, "share"),
        (filled(10, a=8), "b", 1, None),  # what the share of one client leaves is for others
        (filled(10, a=8), "b", 2, None),
        (filled(10, a=8), "b", 3, "queue"),
        (filled(10, a=4, b=4), "b", 1, "share"),
        (filled(10, a=4, b=4), "c", 1, None),
        (filled(10, a=5, b=5), "c", 1, "queue"),
        (filled(10, a=1000), "b", 1, "queue"),
    ],
)
def test_a_room_lacks_space_or_a_client_has_its_share(room, client, amount, reason):
    assert room.lacks(client, amount) == reason


def test_a_client_that_is_alone_gets_most_of_the_room_and_two_get_equal_parts():
    room = Room(1000)
    while room.lacks("a", 1) is None:
        room.enter("a", 1)
    assert room.taken == 800
    for _ in range(2000):  # both try all the time, while what a has is answered one by one
        room.leave("a", 1)
        for client in ("b", "a"):
            if room.lacks(client, 1) is None:
                room.enter(client, 1)
    assert room.lacks("c", 50) is None, "and there is room for a third"
    assert 400 < room.share("b") < 500


def test_what_leaves_gives_its_room_back():
    room = filled(10, a=8)
    room.leave("a", 8)
    assert (room.taken, room.share("a"), room.lacks("a", 8)) == (0, 0, None)
