"""The service as the web server reaches it: with its own token, which may be renewed, and with those of others."""

import asyncio
from contextlib import ExitStack

import pytest

from core.errors import ConfigError
from service.client import AccessError, AsyncRecognizer, OverloadedError
from service.client.connection import Connection
from service.web import upstream as module
from service.web.upstream import CONNECTIONS, MEMORY, Upstream
from tests.service.harness import STROKE
from tests.service.tiny_model import publish

OLD, NEW, ADMIN = "predict-one-0123456789abcdef", "predict-two-0123456789abcdef", "admin-0123456789abcdef-admin"


@pytest.fixture
def address(repository, folder, serve, tmp_path):
    """A service that takes the new token, and an administrator's."""
    publish(repository, seed=1)
    tokens = tmp_path / "tokens"
    tokens.write_text(f"predict:{NEW}\nadmin:{ADMIN}\n")
    tokens.chmod(0o600)
    return serve(folder, tokens_file=str(tokens)).address


def upstream(address: str) -> Upstream:
    return Upstream(
        lambda token, **more: AsyncRecognizer(address, token=token or OLD, **more), Connection.to(address, token=OLD)
    )  # fmt: skip


def test_a_renewed_token_is_used_from_the_next_call_on(address):
    async def ask() -> None:
        found = upstream(address)
        own = found.own
        with pytest.raises(AccessError):
            await own.recognize(STROKE)
        found.use_token(NEW)
        assert found.own is own
        assert (await own.recognize(STROKE)).model_version == "1"
        assert ("authorization", f"Bearer {NEW}") in found.connection.metadata
        await found.close()

    asyncio.run(ask())


def test_a_token_of_somebody_else_is_sent_for_them_alone(address):
    async def ask() -> None:
        found = upstream(address)
        async with found.with_token(ADMIN) as client:
            assert (await client.recognize(STROKE)).model_version == "1"
        with pytest.raises(AccessError):
            await found.own.recognize(STROKE)
        await found.close()

    asyncio.run(ask())


@pytest.mark.parametrize("token", ["", "two words", "ümlaut", "line\nbreak"])
def test_what_is_no_token_changes_nothing(token):
    async def ask() -> None:
        found = upstream("127.0.0.1:1")
        with pytest.raises(ConfigError):
            found.use_token(token)
        assert ("authorization", f"Bearer {OLD}") in found.connection.metadata

    asyncio.run(ask())


def test_no_token_goes_to_another_machine_in_clear_text_unless_that_is_meant():
    connection = Connection.to("service.example:8500")
    with pytest.raises(ConfigError, match="in clear text"):
        connection.with_token(NEW)
    assert connection.with_token(NEW, token_without_tls=True).metadata == (("authorization", f"Bearer {NEW}"),)
    assert connection.with_token(NEW, token_without_tls=True).with_token(None).metadata == ()


class Clock:
    """Time that passes when a test says so."""

    def __init__(self, monkeypatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(module, "monotonic", lambda: self.now)

    def call(self, found: Upstream, seconds: dict[AsyncRecognizer, float]) -> AsyncRecognizer:
        """One call, over a way on which it takes as long as `seconds` says."""
        with found.for_a_picture() as client:
            self.now += seconds[client]
        return client


def ways(found: Upstream) -> list[AsyncRecognizer]:
    """The clients for pictures, each of which is taken once while all of them have a call in flight."""
    with ExitStack() as stack:
        return [stack.enter_context(found.for_a_picture()) for _ in range(CONNECTIONS)]


def test_pictures_in_flight_at_once_go_over_as_many_connections():
    clients = ways(upstream("127.0.0.1:1"))
    assert len(set(clients)) == CONNECTIONS


def test_a_way_whose_answers_are_slow_is_left_out_and_tried_again_later(monkeypatch):
    clock, found = Clock(monkeypatch), upstream("127.0.0.1:1")
    clients = ways(found)
    seconds = dict.fromkeys(clients, 0.01) | {clients[0]: 0.5}
    clock.now += 10 * MEMORY
    for _ in range(2 * CONNECTIONS):
        clock.call(found, seconds)
    assert clients[0] not in {clock.call(found, seconds) for _ in range(2 * CONNECTIONS)}
    clock.now += 10 * MEMORY
    with ExitStack() as stack:
        again = [stack.enter_context(found.for_a_picture()) for _ in range(CONNECTIONS)]
    assert clients[0] in again


def test_a_way_that_refuses_at_once_is_not_taken_for_a_fast_one(monkeypatch):
    clock, found = Clock(monkeypatch), upstream("127.0.0.1:1")
    clients = ways(found)
    clock.now += 10 * MEMORY
    with pytest.raises(OverloadedError), found.for_a_picture() as refusing:
        raise OverloadedError("too busy")
    seconds = dict.fromkeys(clients, 0.01)
    assert refusing not in {clock.call(found, seconds) for _ in range(2 * CONNECTIONS)}


async def connections_of(clients: list[AsyncRecognizer], server: asyncio.Server, seen: list[object]) -> int:
    """How many connections the clients make to a server that says nothing."""
    calls = [asyncio.create_task(client.recognize(STROKE, timeout=3)) for client in clients]
    while not seen:
        await asyncio.sleep(0.01)
    await asyncio.gather(*calls, return_exceptions=True)
    server.close()
    return len(seen)


@pytest.mark.parametrize("spread", [True, False])
def test_pictures_have_connections_of_their_own_and_other_clients_share_one(spread):
    async def count() -> int:
        seen: list[object] = []
        server = await asyncio.start_server(lambda _, writer: seen.append(writer), "127.0.0.1", 0)
        found = upstream(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        others = [found.with_token(NEW) for _ in range(4)]
        count = await connections_of(ways(found) if spread else [found.own, *others], server, seen)
        for client in (*others, found):
            await client.close()
        return count

    assert asyncio.run(count()) == (CONNECTIONS if spread else 1)
