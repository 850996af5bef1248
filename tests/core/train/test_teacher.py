"""A trained network that teaches another one."""

from dataclasses import replace

import numpy as np
import pytest

from core.data.batches import Batches
from core.data.normalize import Normalizer
from core.errors import ConfigError
from core.nn.architectures import build
from core.nn.losses import MeanSquaredError, SoftmaxCrossEntropy
from core.nn.sequential import Sequential
from core.train.teacher import Teacher
from tests.core.train.clouds import CENTERS, clouds, small_network, train_on_clouds
from tests.floats import assert_same_bits, assert_same_function

SAME = Normalizer(0, 1)


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    """It parts the three clouds."""
    network = small_network(seed=5)
    list(train_on_clouds(network, epochs=5))
    return Teacher(network, SAME, weight=1.0, temperature=2.0)


def learned(teacher: Teacher, **options: object) -> Sequential:
    """A student of the teacher."""
    student = small_network(seed=6)
    list(train_on_clouds(student, loss=lambda: teacher.beside(SoftmaxCrossEntropy(), SAME), **options))
    return student


def test_a_student_learns_what_its_teacher_says_even_where_every_label_is_wrong(teacher: Teacher) -> None:
    x, labels = clouds(300, 1)

    def wrong() -> Batches:
        return Batches(x, (labels + 1) % len(CENTERS), batch_size=32, rng=np.random.default_rng(0))

    student = learned(teacher, train=wrong(), epochs=8)
    assert np.mean(student.forward(x).argmax(axis=1) == labels) > 0.98
    student = learned(replace(teacher, weight=0.0), train=wrong(), epochs=8)
    assert np.mean(student.forward(x).argmax(axis=1) == labels) < 0.02


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_the_same_teacher_gives_the_same_weights_and_does_not_change_itself(teacher: Teacher, shards: int) -> None:
    before = teacher.network.vector.value.copy()
    one, other = (learned(teacher, shards=shards) for _ in range(2))
    assert_same_bits(one.vector.value, other.vector.value)
    assert_same_bits(teacher.network.vector.value, before)


def test_shards_ask_for_their_own_images(teacher: Teacher) -> None:
    whole, parted = (learned(teacher, shards=shards, epochs=1) for shards in (1, 2))
    assert_same_function(parted.vector.value, whole.vector.value, terms=32 * 10, scale=4.0)


def test_a_teacher_sees_the_pixels_that_the_student_sees_as_it_was_trained_to_see_them() -> None:
    rng = np.random.default_rng(0)
    network = build((4,), [{"kind": "dense", "units": 3}], rng=rng)
    pixels = rng.integers(0, 256, (5, 2, 2)).astype(np.float32)
    mine, theirs = Normalizer(33.3, 78.6), Normalizer(0, 255)
    loss = Teacher(network, mine, weight=1.0, temperature=1.0).beside(SoftmaxCrossEntropy(), theirs)
    expected = network.forward(((pixels - mine.mean) / mine.std).reshape(5, 4))
    loss.see(theirs.apply(pixels)[..., np.newaxis])  # (5, 2, 2, 1), as a convolution takes it
    found = loss.forward(expected, np.arange(5) % 3)  # so the student answers as the teacher
    assert_same_function(found, 0, terms=5 * 3 * 4, dtype=np.float32, scale=10.0)


def test_only_a_cross_entropy_can_have_a_teacher_beside_it(teacher: Teacher) -> None:
    with pytest.raises(ConfigError, match="MeanSquaredError: expected softmax_cross_entropy or open_set_cross_entropy"):
        teacher.beside(MeanSquaredError(), SAME)
