"""Which role a caller needs for which method."""

from enum import IntEnum


class Role(IntEnum):
    """What a token is good for; each role may do all that the ones before it may."""

    ANYBODY = 0
    PREDICT = 1
    ADMIN = 2


_METHODS: dict[str, dict[Role, tuple[str, ...]]] = {
    "grpc.health.v1.Health": {
        Role.ANYBODY: ("Check", "Watch"),  # probes carry no tokens
    },
    "grpc.reflection.v1alpha.ServerReflection": {
        Role.PREDICT: ("ServerReflectionInfo",),
    },
    "numeral.v1.Recognizer": {
        Role.PREDICT: ("Recognize", "RecognizeBatch", "RecognizeStream", "Explain", "GetModel", "SendFeedback"),
        Role.ADMIN: ("ListFeedback", "DiscardFeedback"),
    },
    "inference.GRPCInferenceService": {
        Role.PREDICT: (
            *("ServerLive", "ServerReady", "ServerMetadata", "ModelReady", "ModelMetadata", "ModelConfig"),
            *("ModelInfer", "ModelStreamInfer", "ModelStatistics", "RepositoryIndex"),
        ),
        Role.ADMIN: ("RepositoryModelLoad", "RepositoryModelUnload"),
    },
}


ROLES: dict[str, Role] = {
    f"/{service}/{method}": role
    for service, roles in _METHODS.items()
    for role, methods in roles.items()
    for method in methods
}
"""Which role a method needs. What is not here, such as channelz or a method that is added without a decision, needs
ADMIN."""


def role_for(method: str) -> Role:
    """Which role a caller needs.

    Args:
        method: In full, e.g. `/numeral.v1.Recognizer/Recognize`.
    """
    return ROLES.get(method, Role.ADMIN)
