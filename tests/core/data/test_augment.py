"""Properties of every augmentation, whichever transforms it consists of."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.augment import TRANSFORMS, augmenter
from core.errors import ConfigError
from tests.floats import close

Entries = Sequence[Mapping[str, Any]]

STRONG: dict[str, dict[str, Any]] = {
    "rotate": {"degrees": 40},
    "translate": {"pixels": 5},
    "scale": {"by": 0.5},
    "shear": {"degrees": 30},
    "elastic": {"alpha": 60, "sigma": 4},
    "stroke": {"amount": 1},
    "noise": {"std": 40},
    "erase": {"share": 0.8},
}
EACH: list[Entries] = [[{"kind": kind, **options}] for kind, options in STRONG.items()]
ALL: Entries = [{"kind": kind, **options} for kind, options in STRONG.items()]
MIXED: list[Entries] = [[], *EACH, ALL]


def pictures(count: int, height: int = 28, width: int = 28) -> NDArray[np.uint8]:
    """Noise with a black frame, as digits have one."""
    images = np.zeros((count, height, width), np.uint8)
    inside = images[:, 4:-4, 4:-4]
    inside[:] = np.random.default_rng(9).integers(1, 256, inside.shape)
    return images


def augmented(entries: Entries, images: NDArray[np.uint8], seed: int = 0) -> NDArray[np.float32]:
    return augmenter(entries)(images, np.random.default_rng(seed))


def test_every_kind_that_recipes_know_is_tested_here() -> None:
    assert STRONG.keys() == TRANSFORMS.keys()


@pytest.mark.parametrize("entries", MIXED)
@pytest.mark.parametrize("shape", [(5, 28, 28), (1, 28, 28), (3, 20, 31), (0, 28, 28)])
def test_a_batch_becomes_a_new_float32_array_from_0_to_255(entries: Entries, shape: tuple[int, int, int]) -> None:
    images = pictures(*shape)
    before = images.copy()
    x = augmented(entries, images)
    assert x.shape == shape
    assert x.dtype == np.float32
    assert x.flags.c_contiguous
    assert x.flags.writeable
    assert not np.shares_memory(x, images)
    assert ((x >= 0) & (x <= 255)).all()
    np.testing.assert_array_equal(images, before)


def test_without_any_transform_the_images_are_the_same() -> None:
    images = pictures(4)
    np.testing.assert_array_equal(augmented([], images), images)


@pytest.mark.parametrize("entries", EACH)
def test_with_probability_0_the_images_are_the_same(entries: Entries) -> None:
    images = pictures(20)
    np.testing.assert_array_equal(augmented([{**entries[0], "probability": 0}], images), images)


@pytest.mark.parametrize("entries", EACH)
def test_with_amount_0_the_images_are_the_same(entries: Entries) -> None:
    amount = next(option for option in entries[0] if option != "kind")
    images = pictures(20)
    np.testing.assert_array_equal(augmented([{**entries[0], amount: 0}], images), images)


@pytest.mark.parametrize("probability", [0.25, 0.5, 0.9])
@pytest.mark.parametrize("entries", EACH)
def test_the_probability_is_the_share_of_images_that_are_changed(entries: Entries, probability: float) -> None:
    count = 1000
    images = pictures(count)
    always = np.any(augmented(entries, images) != images, axis=(1, 2)).mean()
    assert always > 0.8  # an amount near 0 may round to nothing, a rectangle may lie where all is black
    touched = np.any(augmented([{**entries[0], "probability": probability}], images) != images, axis=(1, 2)).mean()
    assert touched == close(
        always * probability, abs=4.5 * np.sqrt(0.25 / count), why="a sample: 4.5 standard errors of a share"
    )


@pytest.mark.parametrize("entries", [*EACH, ALL])
def test_the_same_seed_gives_the_same_bits_and_another_seed_other_images(entries: Entries) -> None:
    images = pictures(8)
    first = augmented(entries, images, seed=3)
    assert augmented(entries, images, seed=3).tobytes() == first.tobytes()
    differs = np.any(augmented(entries, images, seed=4) != first, axis=(1, 2))
    assert differs.sum() > 4


@pytest.mark.parametrize("entries", EACH)
def test_each_image_of_a_batch_draws_its_own_amount(entries: Entries) -> None:
    images = np.repeat(pictures(1), 40, axis=0)
    assert len({x.tobytes() for x in augmented(entries, images)}) > 30


def test_an_augmenter_keeps_no_state_from_one_batch_to_the_next() -> None:
    augment, images = augmenter(ALL), pictures(6)
    first = augment(images, np.random.default_rng(0))
    kept = first.copy()
    augment(images[::-1], np.random.default_rng(1))
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(augment(images, np.random.default_rng(0)), first)


def test_four_threads_at_once_give_what_one_gives_after_another() -> None:
    augment, images = augmenter(ALL), pictures(64)

    def batch(seed: int) -> bytes:
        return augment(images, np.random.default_rng(seed)).tobytes()

    seeds = range(24)
    with ThreadPoolExecutor(4) as threads:
        at_once = list(threads.map(batch, seeds))
    assert at_once == [batch(seed) for seed in seeds]


@pytest.mark.parametrize("entries", MIXED)
def test_images_that_are_not_contiguous_give_the_same_as_their_copy(entries: Entries) -> None:
    images = pictures(9)
    for seen in (images[::2], images[:, ::-1], images.swapaxes(1, 2)):
        np.testing.assert_array_equal(augmented(entries, seen), augmented(entries, seen.copy()))


def test_a_black_image_stays_black_beside_bright_ones() -> None:
    entries = [entry for entry in ALL if entry["kind"] != "noise"]
    images = np.full((40, 28, 28), 255, np.uint8)
    images[1::2] = 0
    x = augmented(entries, images)
    assert not x[1::2].any()
    assert np.any(x[::2], axis=(1, 2)).all()


def test_pixelwise_transforms_follow_geometric_ones_in_any_order_of_the_recipe() -> None:
    turn: dict[str, Any] = {"kind": "rotate", "degrees": 30}
    images = pictures(5)
    stroke: dict[str, Any] = {"kind": "stroke", "amount": 1}
    np.testing.assert_array_equal(augmented([stroke, turn], images), augmented([turn, stroke], images))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"kind": "rotte"},
            "unknown kind 'rotte'; known: rotate, translate, scale, shear, elastic, stroke, noise, erase",
        ),
        ({"degrees": 10}, "unknown kind None; known: rotate, "),
        ({"kind": ["rotate"]}, "unknown kind ['rotate']; known: rotate, "),
        ({"kind": "rotate", "angle": 10}, "rotate: unknown option angle; known: probability, degrees"),
        ({"kind": "elastic", "a": 1, "b": 2}, "elastic: unknown option a, b; known: probability, alpha, sigma"),
        ({"kind": "rotate", "limits": {}}, "rotate: unknown option limits; known: probability, degrees"),
    ],
)
def test_an_unknown_kind_or_option_is_refused_with_what_is_known(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        augmenter([{"kind": "shear"}, entry])
    assert message in str(caught.value)


def options() -> list[tuple[str, str, float, float]]:
    """Every option of every kind, with its limits."""
    return [
        (kind, option, *limits)
        for kind, transform in TRANSFORMS.items()
        for option, limits in {"probability": (0, 1), **transform.limits}.items()
    ]


@pytest.mark.parametrize(("kind", "option", "least", "most"), options())
def test_an_impossible_value_is_refused_with_what_is_possible(
    kind: str, option: str, least: float, most: float
) -> None:
    for value in (
        least - 0.001,
        most + 0.001,
        float("nan"),
        float("inf"),
        -1e300,
        10**400,
        "many",
        None,
        True,
        [1],
        1j,
    ):
        with pytest.raises(ConfigError) as caught:
            augmenter([{"kind": kind, option: value}])
        assert str(caught.value) == f"{kind}: {option} = {value!r}, expected a number from {least} to {most}"


@pytest.mark.parametrize(("kind", "option", "least", "most"), options())
def test_the_limits_themselves_are_possible_and_do_work(kind: str, option: str, least: float, most: float) -> None:
    images = pictures(3)
    for value in (least, most, np.float32(most)):
        x = augmented([{"kind": kind, option: value}], images)
        assert ((x >= 0) & (x <= 255)).all()  # NaN would not be


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_every_option_of_a_transform_has_limits_and_a_default_within_them(kind: str) -> None:
    transform = TRANSFORMS[kind]()
    assert vars(transform).keys() == {"probability", *transform.limits}
