"""Each version frames encoded pictures as its manifest says."""

import numpy as np
import pytest

from core.artifact.repository import Repository
from core.errors import ManifestError, NoDigitError
from core.feedback import FeedbackFolder
from core.imaging import decode, digit_from_bytes
from service.versions.loader import fetch
from service.versions.shadow import Shadow
from service.versions.storage import Storage
from service.versions.store import Store
from service.versions.watcher import Watcher
from service.wishes import Wishes
from tests.patience import eventually
from tests.service.harness import drawing, expected
from tests.service.tiny_model import framed, publish

PICTURE = drawing(97)
FRAMINGS = {1: framed(), 2: framed(version=2)}
"""Manifests from before framings had versions mean the first."""


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_picture_is_framed_as_the_version_was_published(repository, folder, serve, connect, tmp_path, framing):
    publish(repository, seed=1, preprocessing=FRAMINGS[framing])
    client = connect(serve(folder, feedback=str(tmp_path / "feedback")).address)
    image = digit_from_bytes(PICTURE, framing=framing)
    assert client.recognize(PICTURE).probabilities == expected(repository, 1, image)
    seen = client.recognize(PICTURE, want_pixels=True).image
    for each in (seen, client.explain(PICTURE).image, client.look_inside(PICTURE).image):
        np.testing.assert_array_equal(each, image)
    assert client.send_feedback(PICTURE, 1)
    folder_of_feedback = FeedbackFolder(tmp_path / "feedback")
    [name] = folder_of_feedback.names()
    assert folder_of_feedback.read(name).pixels == image.tobytes()


def test_two_versions_with_different_framings_each_see_their_own(repository, folder, serve, connect):
    for seed, preprocessing in enumerate(FRAMINGS.values(), 1):
        publish(repository, seed=seed, preprocessing=preprocessing)
    client = connect(serve(folder, serve_also="1").address)
    for version in FRAMINGS:
        image = digit_from_bytes(PICTURE, framing=version)
        found = client.recognize(PICTURE, model_version=str(version))
        assert found.probabilities == expected(repository, version, image)


def test_a_version_with_an_unknown_framing_is_refused(repository):
    publish(repository, seed=1, preprocessing=framed(version=99))
    with pytest.raises(ManifestError, match="newer Numeral is needed"):
        fetch(1, Storage(repository))


@pytest.fixture
def shadow(repository, folder):
    """A champion with framing 1 and a challenger with framing 2, and the shadow that compares them."""
    publish(repository, seed=1, preprocessing=FRAMINGS[1])
    publish(repository, seed=1, preprocessing=FRAMINGS[2], promote=False)
    repository.promote(2, by="tests", why="to be tried", alias="challenger")
    store = Store(str(folder), wishes=Wishes.parse("champion", shadow="challenger:100%"))
    Watcher(Repository(str(folder)), store).look()
    found = Shadow(store)
    yield found, store.choose()
    found.stop()


def test_a_shadow_with_another_framing_is_compared_by_the_pictures_and_not_by_their_images(shadow):
    found, loaded = shadow
    image = loaded.framed(decode(PICTURE))
    found.computed(loaded, image[np.newaxis], loaded.predictor.answers(image[np.newaxis]), 0.0)
    found.framed(loaded, decode(PICTURE), image)
    found.framed(loaded, decode(PICTURE), NoDigitError("the champion finds none"))
    eventually(lambda: found.comparisons() and found.comparisons()[0].images == 2)
    [comparison] = found.comparisons()
    assert comparison.disagreed >= 1, "the challenger finds a digit where the champion finds none"
    assert (comparison.failed, comparison.dropped) == (0, 0)
