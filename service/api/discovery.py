"""What generic clients find out without any .proto file: the services, their methods and their health."""

from collections.abc import Iterable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from service.api.descriptors import HealthListRequest, HealthListResponse, pool_of
from service.api.health import Health
from service.roles import HEALTH, REFLECTION, REFLECTION_ALPHA

__all__ = ["add_health", "add_reflection"]


def add_health(health: Health, server: Any) -> None:
    """Register health on a server, as generated code would, with all of its methods."""
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    statuses = health.statuses

    async def listed(_request: Any, _context: Any) -> Any:
        response = HealthListResponse()
        for service, status in statuses().items():
            response.statuses[service].status = status
        return response

    answer = grpc.unary_unary_rpc_method_handler(
        listed, HealthListRequest.FromString, HealthListResponse.SerializeToString
    )
    _add(server, HEALTH, {"List": answer})


def add_reflection(services: Iterable[str], server: Any) -> None:
    """Register reflection on a server, under both of its names: one answers both, as their messages are the same.

    Args:
        services: The full names of the services to show.
        server: A gRPC server, or a `service.api.registrar.Registrar`.
    """
    servicer = reflection.aio.ReflectionServicer(services, pool_of(services))
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        reflection_pb2.ServerReflectionRequest.FromString,
        reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    for name in (REFLECTION, REFLECTION_ALPHA):
        _add(server, name, {"ServerReflectionInfo": handler})


def _add(server: Any, service: str, handlers: dict[str, Any]) -> None:
    """Register handlers in both forms, as generated code does."""
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    server.add_registered_method_handlers(service, handlers)
