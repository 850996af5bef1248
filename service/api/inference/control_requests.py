"""Open Inference Protocol: the versions that a request to load or to unload names."""

from collections.abc import Mapping, Sequence

from google.protobuf import json_format

from protos.inference.open_inference_pb2 import ModelConfig, ModelRepositoryParameter
from service.errors import InferRequestError, UnknownVersionError
from service.texts import quoted

__all__ = ["version_to_unload", "versions_to_load"]

_ELSEWHERE = "everything else about a version is in the repository, which the service only reads"


def versions_to_load(parameters: Mapping[str, ModelRepositoryParameter], published: Sequence[int] = ()) -> list[str]:
    """The versions that a request to load names; none if it asks for the model as a whole.

    Args:
        parameters: Those of the request.
        published: The versions that exist now, ascending: what a policy such as "the latest two" is about.

    Raises:
        InferRequestError: They say something else.
        UnknownVersionError: They ask for the latest or for all versions, and there is none.
    """
    versions = []
    for name, parameter in parameters.items():
        kind = parameter.WhichOneof("parameter_choice")
        if name == "version" and kind == "string_param":
            versions.append(parameter.string_param)
        elif name == "config" and kind == "string_param":
            versions += _versions_in(parameter.string_param, published)
        else:
            raise InferRequestError(
                f"parameter {quoted(name)} ({kind}): expected version (string_param), or config (string_param) with a "
                f"version_policy; {_ELSEWHERE}"
            )
    return [version for version in versions if version]


def _versions_in(text: str, published: Sequence[int]) -> list[str]:
    """The versions in a configuration, which is how existing clients can name them."""
    try:
        config = json_format.Parse(text, ModelConfig())
    except (json_format.ParseError, RecursionError) as error:  # RecursionError: nested too deeply
        raise InferRequestError(f"parameter 'config' cannot be read: {quoted(str(error))}") from error
    policy = config.version_policy
    kind = policy.WhichOneof("policy_choice")
    config.ClearField("version_policy")
    config.ClearField("name")
    if kind is None or config != ModelConfig() or (kind == "specific" and not policy.specific.versions):
        raise InferRequestError(
            """parameter 'config': expected {"version_policy": {"specific": {"versions": [3]}}}, or "latest": """
            f"""{{"num_versions": 2}} or "all": {{}} in its place, and nothing else; {_ELSEWHERE}"""
        )
    if kind == "specific":
        return [str(version) for version in policy.specific.versions]
    if not published:
        raise UnknownVersionError(f"parameter 'config': asks for the policy {kind}, and no version is published yet")
    # As in Triton, a policy without a number means one version.
    return [
        str(version) for version in (published if kind == "all" else published[-(policy.latest.num_versions or 1) :])
    ]


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
