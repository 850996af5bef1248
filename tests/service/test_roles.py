"""The table of methods: it names every method there is, and clients, access control and batching follow it."""

from service.client.connection import SERVICE_CONFIG
from service.roles import GATHERED, HEALTH, METHODS, REFLECTION, REFLECTION_ALPHA, ROLES, Role, role_for
from tests.service.every_method import every_method, path


def test_the_table_names_exactly_the_methods_of_the_proto_files():
    ours = {path(method) for method in every_method()}
    foreign = {
        f"/{service}/{name}"
        for service, methods in {
            HEALTH: ("Check", "Watch", "List"),
            REFLECTION: ("ServerReflectionInfo",),
            REFLECTION_ALPHA: ("ServerReflectionInfo",),
        }.items()
        for name in methods
    }
    assert ROLES.keys() == ours | foreign


def test_a_method_without_a_row_needs_the_role_admin():
    assert role_for("/numeral.v1.Recognizer/Unheard") is Role.ADMIN
    assert role_for("/grpc.channelz.v1.Channelz/GetServers") is Role.ADMIN
    assert role_for("/grpc.health.v1.Health/Unheard") is Role.ADMIN


def test_clients_retry_the_methods_that_may_be_sent_twice_and_no_stream():
    [policy] = SERVICE_CONFIG["methodConfig"]
    retried = {f"/{name['service']}/{name['method']}" for name in policy["name"]}
    assert retried == {
        f"/{service}/{name}" for service, methods in METHODS.items() for name, method in methods.items() if method.retry
    }
    streams = {path(method) for method in every_method() if method.client_streaming or method.server_streaming}
    assert retried
    assert not retried & streams


def test_only_unary_methods_are_gathered():
    unary = {path(method) for method in every_method() if not method.client_streaming and not method.server_streaming}
    assert GATHERED
    assert unary >= GATHERED
