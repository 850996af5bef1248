"""Why a version is served, in a sentence: each row of the table is a state of the service, and what it says of it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from service.loaded import Loaded, label
from service.versions.loader import fetch
from service.versions.routes import Routes
from service.versions.storage import Storage
from service.versions.why import why
from service.wishes import Share
from tests.service.tiny_model import publish

CHAMPION = {"champion": 2}
DAMAGED = {2: "mnist/2/weights.safetensors: missing"}
PUBLISH = "publish one with: python -m pipelines retrain"
PROMOTE = "promote one with: python -m pipelines models promote VERSION"
SHIPPED = "the version that ships with Numeral answers"


@pytest.fixture
def loaded(repository):
    """A version in memory, under any number: `loaded(3)`."""
    publish(repository, seed=1)
    version = fetch(1, Storage(repository))
    return lambda number: replace(version, number=number, version=label(number))


@pytest.fixture
def state(loaded):
    """What answers which call: `state("champion", {"champion": 2}, known=(1, 2), aliases=CHAMPION)`."""

    def build(policy: str, named: Mapping[str, int], known: tuple[int, ...] = (1, 2), **others: object) -> Routes:
        versions: Mapping[str, Loaded] = {name: loaded(number) for name, number in named.items()}
        return Routes("file:///models", policy, named=versions, known=frozenset(known), **others)

    return build


@pytest.mark.parametrize(
    ("policy", "serving", "others", "sentence"),
    [
        # the policy has chosen
        (
            "champion",
            2,
            {"aliases": CHAMPION},
            "version 2 is the champion, and the policy of this server is to serve the champion",
        ),
        (
            "challenger",
            2,
            {"aliases": {"challenger": 2}},
            "the alias challenger names version 2, and the policy of this server is to serve what it names",
        ),
        (
            "latest",
            2,
            {},
            "version 2 is the newest, and the policy of this server, latest, is to serve the newest",
        ),
        ("pinned:1", 1, {}, "the policy of this server, pinned:1, is to serve version 1 always"),
        # another version stands in
        (
            "champion",
            1,
            {"aliases": CHAMPION, "reasons": DAMAGED},
            "version 1 answers because the champion, version 2, cannot: mnist/2/weights.safetensors: missing",
        ),
        (
            "champion",
            1,
            {"aliases": CHAMPION, "reasons": {2: "the service has fallen back from it: 9 of 50 images failed"}},
            "version 1 answers because the champion, version 2, cannot: "
            "the service has fallen back from it: 9 of 50 images failed",
        ),
        (
            "latest",
            1,
            {"reasons": {2: "an operator has unloaded it"}},
            "version 1 answers because the newest, version 2, cannot: an operator has unloaded it",
        ),
        (
            "champion",
            1,
            {"aliases": CHAMPION, "loading": 2},
            "version 1 answers until the champion, version 2, is loaded",
        ),
        (
            "pinned:7",
            1,
            {},
            "version 1 answers because version 7, which the policy pinned:7 names, is not in the repository",
        ),
        # an administrator has pinned one
        (
            "champion",
            1,
            {"aliases": CHAMPION, "pinned": 1},
            "an administrator has pinned version 1: it answers, whatever the policy champion says",
        ),
        (
            "champion",
            2,
            {"aliases": CHAMPION, "pinned": 1, "reasons": {1: "it is damaged"}},
            "version 2 answers because version 1, which an administrator has pinned, cannot: it is damaged",
        ),
        # nothing is published, or promoted, or there any more
        (
            "champion",
            0,
            {"known": ()},
            f"{SHIPPED}, as no version is published yet; {PUBLISH}",
        ),
        (
            "champion",
            0,
            {},
            f"{SHIPPED}, as none of the 2 published versions is the champion yet; {PROMOTE}",
        ),
        (
            "champion",
            2,
            {},
            "the repository names no champion any more, and version 2, which was it, goes on",
        ),
        (
            "champion",
            3,
            {"aliases": CHAMPION},
            "version 3 answers until the champion, version 2, is loaded; "
            "it is no longer in the repository, and answers from memory",
        ),
    ],
)
def test_what_answers_is_explained(state, policy, serving, others, sentence):
    assert why(state(policy, {policy: serving}, **others)) == sentence


@pytest.mark.parametrize(
    ("policy", "others", "sentence"),
    [
        (
            "champion",
            {"known": ()},
            f"no version answers yet, as none is published in file:///models; {PUBLISH}",
        ),
        (
            "champion",
            {},
            f"no version answers, as none of the 2 published versions is the champion yet; {PROMOTE}",
        ),
        (
            "best",
            {"known": (1,)},
            f"no version answers, as the only published version is not the best yet; {PROMOTE} --alias best",
        ),
        ("champion", {"aliases": CHAMPION, "loading": 2}, "no version answers yet: version 2 is being loaded"),
        ("champion", {"aliases": CHAMPION}, "no version answers until the champion, version 2, is loaded"),
        (
            "champion",
            {"aliases": CHAMPION, "reasons": DAMAGED},
            "no version answers: the champion, version 2, cannot, and no other can stand in for it: "
            "mnist/2/weights.safetensors: missing",
        ),
        ("pinned:7", {}, "no version answers: version 7, which the policy pinned:7 names, is not in the repository"),
        ("champion", {"aliases": CHAMPION, "closed": "it is unloaded"}, "no version answers: it is unloaded"),
    ],
)
def test_that_nothing_answers_is_explained(state, policy, others, sentence):
    assert why(state(policy, {}, **others)) == sentence


def test_a_canary_is_mentioned_unless_a_version_is_pinned(state):
    canary, named = Share("1", 0.125), {"champion": 2, "1": 1}
    sentence = why(state("champion", named, aliases=CHAMPION), canary)
    assert sentence.endswith("; 12.5% of these calls go to version 1 instead, the canary")
    assert "canary" not in why(state("champion", named, aliases=CHAMPION, pinned=2), canary)
    assert "canary" not in why(state("champion", {"champion": 2}, aliases=CHAMPION), canary), "it is not loaded"


def test_a_repository_out_of_reach_is_said_instead_of_what_it_seems_to_show(state):
    trouble = "repository file:///models is gone; is the disk still mounted?"
    assert why(state("champion", {"champion": 2}, known=()), trouble=trouble) == (
        f"version 2 goes on answering from memory: {trouble}"
    )
    assert why(state("champion", {"champion": 2}, aliases=CHAMPION), trouble=trouble).endswith(
        f"to serve the champion; whether that has changed is not known: {trouble}"
    )
    assert why(state("champion", {}, known=()), trouble=trouble) == (
        f"no version answers yet, and what is published is not known: {trouble}"
    )


def test_the_sentence_is_short_enough_to_be_sent(state):
    routes = state("champion", {"champion": 1}, aliases=CHAMPION, reasons={2: "x" * 10_000})
    assert len(why(routes).encode()) <= 1003
