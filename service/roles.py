"""The one table of the methods that the service answers, and what holds for each of them.

Access control, the list of calls that clients retry, the batching of concurrent calls and the labels of the metrics
are all read from here. A new method needs a row; a method without one may be called by administrators alone.
"""

from enum import IntEnum
from typing import NamedTuple

__all__ = [
    "GATHERED",
    "HEALTH",
    "INFERENCE",
    "METHODS",
    "RECOGNIZER",
    "REFLECTION",
    "REFLECTION_ALPHA",
    "ROLES",
    "Method",
    "Role",
    "role_for",
]


class Role(IntEnum):
    """What a token permits; each role includes the ones before it."""

    ANYBODY = 0
    PREDICT = 1
    ADMIN = 2


class Method(NamedTuple):
    """What holds for one method.

    Attributes:
        role: The role that a caller needs.
        retry: Whether clients may send a failed call again: the method changes nothing, or nothing the second time.
        gathered: Whether concurrent calls wait for a call of this method that has been accepted but not yet read, in
            order to be computed in one batch with it.
    """

    role: Role
    retry: bool = False
    gathered: bool = False


RECOGNIZER = "numeral.v1.Recognizer"
INFERENCE = "inference.GRPCInferenceService"
HEALTH = "grpc.health.v1.Health"
REFLECTION = "grpc.reflection.v1.ServerReflection"
REFLECTION_ALPHA = "grpc.reflection.v1alpha.ServerReflection"
"""The same under its earlier name, which many clients still know alone."""

METHODS: dict[str, dict[str, Method]] = {
    RECOGNIZER: {
        "Recognize": Method(Role.PREDICT, retry=True, gathered=True),
        "RecognizeBatch": Method(Role.PREDICT, retry=True),
        "RecognizeStream": Method(Role.PREDICT),
        "RecognizeMany": Method(Role.PREDICT, retry=True),
        "Explain": Method(Role.PREDICT, retry=True),
        "LookInside": Method(Role.PREDICT, retry=True),
        "GetModel": Method(Role.PREDICT, retry=True),
        "GetCard": Method(Role.PREDICT, retry=True),
        "ListVersions": Method(Role.ADMIN, retry=True),
        "ListMoves": Method(Role.ADMIN, retry=True),
        "GetDocument": Method(Role.ADMIN, retry=True),
        "PinVersion": Method(Role.ADMIN, retry=True),
        "SendFeedback": Method(Role.PREDICT, retry=True),  # the server recognizes what it has already
        "ListFeedback": Method(Role.ADMIN),
        "DiscardFeedback": Method(Role.ADMIN),
        "AcceptFeedback": Method(Role.ADMIN, retry=True),
    },
    INFERENCE: {
        "ServerLive": Method(Role.PREDICT),
        "ServerReady": Method(Role.PREDICT),
        "ServerMetadata": Method(Role.PREDICT),
        "ModelReady": Method(Role.PREDICT),
        "ModelMetadata": Method(Role.PREDICT),
        "ModelConfig": Method(Role.PREDICT),
        "ModelInfer": Method(Role.PREDICT, gathered=True),
        "ModelStreamInfer": Method(Role.PREDICT),
        "ModelStatistics": Method(Role.PREDICT),
        "RepositoryIndex": Method(Role.PREDICT),
        "RepositoryModelLoad": Method(Role.ADMIN),
        "RepositoryModelUnload": Method(Role.ADMIN),
    },
    HEALTH: {
        "Check": Method(Role.ANYBODY),  # the probes of container platforms carry no token
        "Watch": Method(Role.ANYBODY),
        "List": Method(Role.ANYBODY),  # says what Check says, of all services
    },
    REFLECTION: {
        "ServerReflectionInfo": Method(Role.PREDICT),
    },
    REFLECTION_ALPHA: {
        "ServerReflectionInfo": Method(Role.PREDICT),
    },
}
"""Every method by its service and name. gRPC's channelz is left out on purpose, and thus for administrators alone."""

ROLES: dict[str, Role] = {
    f"/{service}/{name}": method.role for service, methods in METHODS.items() for name, method in methods.items()
}
"""The role that a caller needs, by the full name that gRPC gives a method, e.g. `/numeral.v1.Recognizer/Recognize`."""

GATHERED: frozenset[str] = frozenset(
    f"/{service}/{name}" for service, methods in METHODS.items() for name, method in methods.items() if method.gathered
)
"""The full names of the methods that are gathered."""


def role_for(path: str) -> Role:
    """The role that a caller of a method needs; ADMIN for a method that is not in the table.

    Args:
        path: The full name of the method.
    """
    return ROLES.get(path, Role.ADMIN)
