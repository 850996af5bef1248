"""Every method of every service in protos/, found in the generated stubs, so that later additions are found too."""

import importlib
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import MethodDescriptor

import protos


def every_method() -> Iterator[MethodDescriptor]:
    [root] = protos.__path__
    for file in sorted(Path(root).rglob("*_pb2.py")):
        module = importlib.import_module("protos." + ".".join(file.relative_to(root).with_suffix("").parts))
        for service in module.DESCRIPTOR.services_by_name.values():
            yield from service.methods


def path(method: MethodDescriptor) -> str:
    """The full name of a method on the wire."""
    return f"/{method.containing_service.full_name}/{method.name}"
