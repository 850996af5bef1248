"""Descriptors of gRPC's own services in their present form.

The packages that bring these services lag behind their .proto files: there is no reflection `v1`, which has replaced
`v1alpha` with the same messages, and no `Health/List`. Both are completed here, in pools of their own: in the common
pool, they would contradict the packages.
"""

from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import Default, DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from service.roles import HEALTH, REFLECTION

__all__ = ["HealthListRequest", "HealthListResponse", "pool_of"]

REQUEST, RESPONSE, ENTRY = "HealthListRequest", "HealthListResponse", "StatusesEntry"


def _health() -> FileDescriptorProto:
    """health.proto with `List`; unchanged, if the package knows it already.

    https://github.com/grpc/grpc-proto/blob/master/grpc/health/v1/health.proto
    """
    file = FileDescriptorProto()
    health_pb2.DESCRIPTOR.CopyToProto(file)
    [service] = file.service
    if any(method.name == "List" for method in service.method):
        return file
    package = f".{file.package}"
    file.message_type.add(name=REQUEST)
    response = file.message_type.add(name=RESPONSE)  # map<string, HealthCheckResponse> statuses = 1;
    entry = response.nested_type.add(name=ENTRY)
    entry.options.map_entry = True
    text, message = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_MESSAGE
    one, many = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.LABEL_REPEATED
    entry.field.add(name="key", number=1, type=text, label=one)
    entry.field.add(name="value", number=2, type=message, label=one, type_name=f"{package}.HealthCheckResponse")
    response.field.add(name="statuses", number=1, type=message, label=many, type_name=f"{package}.{RESPONSE}.{ENTRY}")
    service.method.add(name="List", input_type=f"{package}.{REQUEST}", output_type=f"{package}.{RESPONSE}")
    return file


def _reflection_v1() -> FileDescriptorProto:
    """reflection.proto of v1: that of v1alpha under another name.

    https://github.com/grpc/grpc-proto/blob/master/grpc/reflection/v1/reflection.proto
    """
    package = REFLECTION.rpartition(".")[0]
    file = FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(file)
    old, new = f"{file.package}.", f"{package}."
    file.name, file.package = file.name.replace("v1alpha", "v1"), package
    for message in file.message_type:
        for field in message.field:
            if field.type_name:  # the field's type is a message
                field.type_name = field.type_name.replace(old, new)
    for method in file.service[0].method:
        method.input_type = method.input_type.replace(old, new)
        method.output_type = method.output_type.replace(old, new)
    return file


def pool_of(services: Iterable[str]) -> DescriptorPool:
    """The descriptors of services: those of the common pool, and in place of gRPC's own the two files above.

    Args:
        services: Their full names.
    """
    pool = DescriptorPool()
    own = (_health(), _reflection_v1())
    added = {file.name for file in own}
    for file in own:
        pool.AddSerializedFile(file.SerializeToString())

    def add(file: FileDescriptor) -> None:
        if file.name not in added:
            added.add(file.name)
            for dependency in file.dependencies:
                add(dependency)
            pool.AddSerializedFile(file.serialized_pb)

    described = {f"{file.package}.{service.name}" for file in own for service in file.service}
    for name in services:
        if name not in described:
            add(Default().FindFileContainingSymbol(name))
    return pool


_messages = pool_of(())
_list: Any = _messages.FindServiceByName(HEALTH).methods_by_name["List"]
HealthListRequest: Any = GetMessageClass(_list.input_type)
HealthListResponse: Any = GetMessageClass(_list.output_type)
