"""The command that pins a version of a running server."""

import json

import pytest

from tests.service.tiny_model import publish


@pytest.fixture
def address(repository, folder, start) -> str:
    for seed in (1, 2):
        publish(repository, seed=seed)
    return start("serve", "--repository", folder, "--port", 0).listening()


def test_a_version_is_pinned_until_the_policy_is_returned_to(address, run):
    done = run("pin", "1", "--address", address)
    assert (done.returncode, done.stdout) == (0, "version 1 is pinned\n")
    done = run("pin", "--policy", "--address", address)
    assert (done.returncode, done.stdout) == (0, "no version is pinned: the policy serves version 2\n")


def test_with_json_one_document_says_what_is_pinned_and_what_serves(address, run):
    pinned = run("pin", "champion", "--json", "--address", address)
    assert json.loads(pinned.stdout) == {"pinned": "2", "serving": "2"}
    returned = run("pin", "--policy", "--json", "--address", address)
    assert json.loads(returned.stdout) == {"pinned": None, "serving": "2"}


def test_a_version_that_does_not_exist_is_one_sentence_and_exit_status_1(address, run):
    done = run("pin", "7", "--address", address)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {address}: no version or alias '7' here; ready: 2\n"


@pytest.mark.parametrize("arguments", [(), ("1", "--policy"), ("",)])
def test_a_version_or_the_policy_is_named_and_not_both(run, arguments):
    done = run("pin", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: name a version to pin, or give --policy, and not both\n"
