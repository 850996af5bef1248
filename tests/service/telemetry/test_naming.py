"""The id and the canary key of a call, whatever its metadata hold."""

from contextvars import copy_context

import pytest

from service.call import canary_key, request_id
from service.errors import RequestError
from service.telemetry.naming import Naming


class Shown:
    """A call with metadata; remembers what is sent back."""

    def __init__(self, *metadata):
        self.metadata, self.trailing = metadata, ()

    def invocation_metadata(self):
        return self.metadata

    def set_trailing_metadata(self, trailing):
        self.trailing = trailing


def entered(shown):
    """The id and the canary key after the first step of a call."""

    def enter():
        Naming().enter("/numeral.v1.Recognizer/Recognize", shown)
        return request_id.get(), canary_key.get()

    return copy_context().run(enter)


def test_one_id_and_one_canary_key_are_taken_as_they_are():
    shown = Shown(("x-request-id", "order-66"), ("x-canary-key", "user 7"))
    assert entered(shown) == ("order-66", "user 7")
    assert shown.trailing == (("x-request-id", "order-66"),)


def test_of_several_ids_none_is_taken():
    shown = Shown(("x-request-id", "order-66"), ("x-request-id", "order-67"))
    named, _ = entered(shown)
    assert named not in ("", "order-66", "order-67")
    assert shown.trailing == ()


def test_several_canary_keys_are_refused_as_each_may_ask_for_another_version():
    with pytest.raises(RequestError, match="x-canary-key 2 times; send it once"):
        entered(Shown(("x-canary-key", "user 7"), ("x-canary-key", "user 8")))
