"""Open Inference Protocol: the versions that a request to load or to unload names."""

from collections.abc import Mapping

from google.protobuf import json_format

from protos.inference.open_inference_pb2 import ModelConfig, ModelRepositoryParameter
from service.errors import InferRequestError
from service.texts import quoted

__all__ = ["version_to_unload", "versions_to_load"]


def versions_to_load(parameters: Mapping[str, ModelRepositoryParameter]) -> list[str]:
    """The versions that a request to load names; [""] if it names none."""
    versions = []
    for name, parameter in parameters.items():
        kind = parameter.WhichOneof("parameter_choice")
        if name == "version" and kind == "string_param":
            versions.append(parameter.string_param)
        elif name == "config" and kind == "string_param":
            versions += _versions_in(parameter.string_param)
        else:
            raise InferRequestError(
                f"parameter {quoted(name)} ({kind}): expected version (string_param), or config (string_param) with a "
                "version_policy; everything else about a version is in the repository, which the service only reads"
            )
    return versions or [""]


def _versions_in(text: str) -> list[str]:
    """The versions in a configuration, which is how existing clients can name them."""
    try:
        config = json_format.Parse(text, ModelConfig())
    except (json_format.ParseError, RecursionError) as error:  # RecursionError: nested too deeply
        raise InferRequestError(f"parameter 'config' cannot be read: {error}") from error
    versions = [str(version) for version in config.version_policy.specific.versions]
    config.ClearField("version_policy")
    config.ClearField("name")
    if not versions or config != ModelConfig():
        raise InferRequestError(
            """parameter 'config': expected {"version_policy": {"specific": {"versions": [3]}}}, and nothing else; """
            "everything else about a version is in the repository, which the service only reads"
        )
    return versions


def version_to_unload(parameters: Mapping[str, ModelRepositoryParameter]) -> str:
    """The version that a request to unload names; "" if it names none."""
    version = ""
    for name, parameter in parameters.items():
        kind = parameter.WhichOneof("parameter_choice")
        if name == "version" and kind == "string_param":
            version = parameter.string_param
        elif not (name == "unload_dependents" and kind == "bool_param"):  # nothing depends on this model
            raise InferRequestError(f"parameter {quoted(name)} ({kind}): expected version (string_param), or none")
    return version
