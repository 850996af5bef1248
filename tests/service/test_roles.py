"""The table of methods: it names every method there is, and clients, access control and batching follow it."""

from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from service.client.connection import SERVICE_CONFIG
from service.roles import GATHERED, HEALTH, METHODS, REFLECTION, ROLES, Role, role_for
from tests.service.every_method import every_method, path


def test_the_table_names_exactly_the_methods_of_the_proto_files():
    ours = {path(method) for method in every_method()}
    foreign = {
        f"/{service.full_name}/{method.name}"
        for module in (health_pb2, reflection_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if service.full_name in (HEALTH, REFLECTION) and method.name in METHODS[service.full_name]
    }
    assert ROLES.keys() == ours | foreign


def test_a_method_without_a_row_needs_the_role_admin():
    assert role_for("/numeral.v1.Recognizer/Unheard") is Role.ADMIN
    assert role_for("/grpc.channelz.v1.Channelz/GetServers") is Role.ADMIN
    assert role_for("/grpc.health.v1.Health/List") is Role.ADMIN


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
