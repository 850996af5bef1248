"""Which versions a request to load names, without a server."""

import json

import pytest

from protos.inference.open_inference_pb2 import ModelRepositoryParameter
from service.api.inference.control_requests import version_to_unload, versions_to_load
from service.errors import InferRequestError, UnknownVersionError


def config(policy: object) -> dict[str, ModelRepositoryParameter]:
    return {"config": ModelRepositoryParameter(string_param=json.dumps({"version_policy": policy}))}


@pytest.mark.parametrize(
    ("policy", "versions"),
    [
        ({"specific": {"versions": [3, 1]}}, ["3", "1"]),
        ({"specific": {"versions": [9]}}, ["9"]),
        ({"latest": {"num_versions": 2}}, ["5", "8"]),
        ({"latest": {}}, ["8"]),
        ({"latest": {"num_versions": 99}}, ["1", "3", "5", "8"]),
        ({"all": {}}, ["1", "3", "5", "8"]),
    ],
)
def test_a_version_policy_names_versions(policy, versions):
    assert versions_to_load(config(policy), [1, 3, 5, 8]) == versions


def test_a_request_without_parameters_names_no_version():
    assert versions_to_load({}, [1, 2]) == []


@pytest.mark.parametrize("policy", [{}, {"specific": {}}, {"specific": {"versions": []}}])
def test_a_policy_that_names_nothing_is_refused_with_what_is_expected(policy):
    with pytest.raises(InferRequestError, match=r'expected \{"version_policy": .* or "latest": \{"num_versions": 2\}'):
        versions_to_load(config(policy), [1, 2])


@pytest.mark.parametrize("policy", ["latest", "all"])
def test_the_latest_or_all_of_no_version_is_refused(policy):
    with pytest.raises(UnknownVersionError, match=f"asks for the policy {policy}, and no version is published yet"):
        versions_to_load(config({policy: {}}), [])


def test_an_error_about_a_long_parameter_is_short():
    long = "x" * 20_000
    for name, text in [(long, "{}"), ("config", json.dumps({long: 1})), ("config", long)]:
        with pytest.raises(InferRequestError) as refused:
            versions_to_load({name: ModelRepositoryParameter(string_param=text)}, [1])
        assert len(str(refused.value)) < 400
    with pytest.raises(InferRequestError) as refused:
        version_to_unload({long: ModelRepositoryParameter(string_param="")})
    assert len(str(refused.value)) < 400
