"""The transforms that move pixels: how far they move them, and that all of them take one interpolation."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.augment import TRANSFORMS, Elastic, Geometric, Rotate, Scale, Shear, Translate, augmenter
from core.data.geometry import Geometry
from core.data.warp import warp
from tests.floats import assert_close, assert_same_function, close

COUNT = 4000


def moved(*transforms: Geometric, count: int = COUNT, height: int = 28, width: int = 28, seed: int = 0) -> Geometry:
    geometry, rng = Geometry(count, height, width), np.random.default_rng(seed)
    for transform in transforms:
        transform.move(geometry, rng)
    return geometry


STEPS = "an interpolation reads at steps of 1/256 pixel, and rounds"


def pictures(count: int = 6, height: int = 28, width: int = 28) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, height, width), np.uint8)


def assert_uniform(values: NDArray[Any], limit: float) -> None:
    """From −limit to limit: all inside, the whole range used, centered, spread as a uniform draw is."""
    assert np.abs(values).max() <= limit * (1 + 1e-5)
    assert values.max() > 0.98 * limit
    assert values.min() < -0.98 * limit
    assert abs(values.mean()) < 0.05 * limit
    assert values.std() == close(limit / np.sqrt(3), rel=0.05, why="a sample")


def test_a_geometry_without_transforms_moves_no_pixel() -> None:
    images = pictures(3, 9, 14)
    np.testing.assert_array_equal(Geometry(3, 9, 14).apply(images), images)


@pytest.mark.parametrize("degrees", [3, 45, 180])
def test_rotation_is_a_rotation_by_an_angle_up_to_the_degrees(degrees: float) -> None:
    geometry = moved(Rotate(degrees=degrees))
    A = geometry.A.astype(np.float64)
    assert_same_function(A @ A.swapaxes(1, 2), np.broadcast_to(np.eye(2), A.shape), terms=2, dtype=np.float32)
    assert_same_function(np.linalg.det(A), 1, terms=2, dtype=np.float32)
    assert_uniform(np.degrees(np.arctan2(A[:, 1, 0], A[:, 0, 0])), degrees)
    assert not geometry.t.any()
    assert geometry.u is None


@pytest.mark.parametrize("pixels", [0.5, 4])
def test_translation_moves_rows_and_columns_independently_up_to_the_pixels(pixels: float) -> None:
    geometry = moved(Translate(pixels=pixels))
    assert_uniform(geometry.t[:, 0], pixels)
    assert_uniform(geometry.t[:, 1], pixels)
    assert abs(np.corrcoef(geometry.t.T)[0, 1]) < 0.1
    np.testing.assert_array_equal(geometry.A, np.broadcast_to(np.eye(2), (COUNT, 2, 2)))


@pytest.mark.parametrize("by", [0.1, 1])
def test_scaling_grows_or_shrinks_each_axis_by_up_to_the_factor(by: float) -> None:
    A = moved(Scale(by=by)).A
    assert not A[:, [0, 1], [1, 0]].any()
    logarithms = np.log(A[:, [0, 1], [0, 1]])
    assert_uniform(logarithms[:, 0], np.log(1 + by))
    assert_uniform(logarithms[:, 1], np.log(1 + by))
    assert abs(np.corrcoef(logarithms.T)[0, 1]) < 0.1


@pytest.mark.parametrize("degrees", [5, 40])
def test_shearing_slants_by_an_angle_up_to_the_degrees_and_leaves_rows_in_their_row(degrees: float) -> None:
    A = moved(Shear(degrees=degrees)).A
    np.testing.assert_array_equal(A[:, [0, 0, 1], [0, 1, 1]], np.broadcast_to([1, 0, 1], (COUNT, 3)))
    assert_uniform(np.degrees(np.arctan(A[:, 1, 0])), degrees)


@pytest.mark.parametrize("size", [27, 28])
@pytest.mark.parametrize("transform", [Rotate(degrees=90), Scale(by=0.5), Shear(degrees=30)])
def test_the_center_stays_where_it_is(transform: Geometric, size: int) -> None:
    images = np.zeros((50, size, size), np.uint8)
    images[:, (size - 1) // 2 : size // 2 + 1, (size - 1) // 2 : size // 2 + 1] = 200  # 1 or 2×2 pixels
    x = moved(transform, count=50, height=size, width=size).apply(images)
    r, c = np.indices((size, size))
    assert_close((x * r).sum(axis=(1, 2)) / x.sum(axis=(1, 2)), (size - 1) / 2, abs=0.02, why=STEPS)
    assert_close((x * c).sum(axis=(1, 2)) / x.sum(axis=(1, 2)), (size - 1) / 2, abs=0.02, why=STEPS)


@pytest.mark.parametrize("size", [7, 28])
def test_a_quarter_turn_is_exact_to_half_a_level(size: int) -> None:
    images = pictures(1, size, size)
    geometry = Geometry(1, size, size)
    geometry.A = np.array([[[0, 1], [-1, 0]]], np.float32)
    np.testing.assert_array_equal(geometry.apply(images), np.rot90(images, axes=(1, 2)))
    angle = np.float32(np.pi / 2)  # what `Rotate` computes: a cosine of −4e-8 where it should be 0
    geometry.A = np.array([[[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]], np.float32)
    assert_close(geometry.apply(images), np.rot90(images, axes=(1, 2)), abs=0.5, why=STEPS)


def test_a_digit_moves_against_its_source() -> None:
    images = pictures(1)
    geometry = Geometry(1, 28, 28)
    geometry.t = np.array([[2, -3]], np.float32)
    np.testing.assert_array_equal(geometry.apply(images)[:, :-2, 3:], images[:, 2:, :-3])


def naive_places(geometry: Geometry, n: int, r: int, c: int) -> NDArray[np.float64]:
    """source(p) = A p + t + u(p), from the image's corner, in float64."""
    center = np.array([(geometry.height - 1) / 2, (geometry.width - 1) / 2])
    u = 0 if geometry.u is None else geometry.u[n, :, r, c].astype(np.float64)
    p = np.array([r, c]) - center
    found: NDArray[np.float64] = geometry.A[n].astype(np.float64) @ p + geometry.t[n].astype(np.float64) + u + center
    return found


def test_several_transforms_are_one_interpolation_at_the_places_of_the_composed_map() -> None:
    entries: list[dict[str, Any]] = [
        {"kind": "rotate", "degrees": 20},
        {"kind": "elastic"},
        {"kind": "scale", "by": 0.3},
        {"kind": "shear", "degrees": 15},
        {"kind": "translate", "pixels": 3},
        {"kind": "rotate", "degrees": 5},
        {"kind": "elastic", "alpha": 10, "sigma": 2},
    ]
    images = pictures(3, 20, 24)
    transforms = [TRANSFORMS[entry["kind"]](**{k: v for k, v in entry.items() if k != "kind"}) for entry in entries]
    geometry = moved(*(t for t in transforms if isinstance(t, Geometric)), count=3, height=20, width=24, seed=5)
    places = np.array([naive_places(geometry, *at) for at in np.ndindex(3, 20, 24)], np.float32).reshape(3, 20, 24, 2)
    once = warp(images, places[..., 0], places[..., 1])
    # Where float32 puts a place on the other side of a step of 1/256 pixel, the value differs by up to one level.
    difference = np.abs(augmenter(entries)(images, np.random.default_rng(5)) - once)
    assert difference.max() < 1.01
    assert np.median(difference) < 0.01


@pytest.mark.parametrize("other", [Rotate(degrees=40), Scale(by=0.5), Shear(degrees=40), Translate(pixels=5)])
@pytest.mark.parametrize("one", [Rotate(degrees=40), Scale(by=0.5), Shear(degrees=40), Translate(pixels=5)])
def test_transforms_multiply_up_in_the_order_of_the_recipe(one: Geometric, other: Geometric) -> None:
    both = moved(one, other, count=10)
    rng = np.random.default_rng(0)
    first, second = (Geometry(10, 28, 28) for _ in range(2))
    one.move(first, rng)
    other.move(second, rng)
    assert_same_function(both.A, first.A @ second.A, terms=2)
    assert_same_function(both.t, first.t + second.t, terms=2)


def test_a_rotation_and_back_within_one_recipe_does_not_blur() -> None:
    images = pictures()
    geometry = moved(Rotate(degrees=30), count=len(images))
    geometry.A = geometry.A @ np.linalg.inv(geometry.A)
    assert_close(geometry.apply(images), images, abs=1, why=STEPS)
    there = moved(Rotate(degrees=30), count=len(images))
    blurred = there.apply(images)
    there.A = np.linalg.inv(there.A)
    back = there.apply(np.rint(blurred).astype(np.uint8))
    assert np.abs(back - images)[:, 8:-8, 8:-8].mean() > 20  # what two interpolations would have done


def elastic_field(alpha: float, sigma: float, count: int = 1000, size: int = 28) -> NDArray[np.float32]:
    u = moved(Elastic(alpha=alpha, sigma=sigma), count=count, height=size, width=size).u
    assert u is not None
    return u


@pytest.mark.parametrize(("alpha", "sigma"), [(34, 4), (8, 3), (20, 2), (5, 1)])
def test_in_the_middle_an_elastic_field_moves_by_alpha_over_2_sigma_root_3_pi(alpha: float, sigma: float) -> None:
    middle = elastic_field(alpha, sigma, count=4000)[:, :, 14, 14].astype(np.float64)
    rms = np.sqrt((middle**2).mean(axis=0))
    assert_close(rms, alpha / (2 * sigma * np.sqrt(3 * np.pi)), rel=0.05, why="a sample of 4,000")
    assert (np.abs(middle.mean(axis=0)) < 5 * rms / np.sqrt(4000)).all()  # no drift to one side


@pytest.mark.parametrize("sigma", [2, 4])
def test_neighbors_move_alike_as_far_as_sigma_says_and_the_two_axes_independently(sigma: int) -> None:
    u = elastic_field(10, sigma)[:, :, 8:20, 8:20].astype(np.float64)
    variance = (u**2).mean()
    for distance in (1, sigma, 2 * sigma):
        alike = np.exp(-(distance**2) / (4 * sigma**2))  # G * G is a Gaussian of √2 σ
        for product in (u[..., distance:, :] * u[..., :-distance, :], u[..., distance:] * u[..., :-distance]):
            assert product.mean() / variance == close(alike, abs=0.06, why="a sample")
    assert abs((u[:, 0] * u[:, 1]).mean() / variance) < 0.06


def test_an_elastic_field_is_a_gaussian_convolution_with_zeros_outside() -> None:
    """K U Kᵀ beside the sum over all pixels."""
    transform, (h, w) = Elastic(alpha=12, sigma=1.5), (6, 9)
    u = moved(transform, count=2, height=h, width=w).u
    U = (np.random.default_rng(0).integers(-128, 128, (2, 2, h, w), np.int8) + 0.5) / 128
    expected = np.zeros(U.shape)
    for r, c, i, j in np.ndindex(h, w, h, w):
        G = np.exp(-((r - i) ** 2 + (c - j) ** 2) / (2 * 1.5**2)) / (2 * np.pi * 1.5**2)
        expected[:, :, r, c] += 12 * G * U[:, :, i, j]
    assert u is not None
    assert_same_function(u, expected, terms=h * w, scale=12.0)


def test_two_elastic_fields_add_up() -> None:
    both = moved(Elastic(alpha=30), Elastic(alpha=30), count=1000).u
    assert both is not None
    once = elastic_field(30, 4)
    assert both.std() == close(once.std() * np.sqrt(2), rel=0.05, why="a sample")


def test_an_image_that_a_field_skips_is_not_moved_at_all() -> None:
    u = moved(Elastic(probability=0.5), count=400).u
    assert u is not None
    still = ~np.any(u, axis=(1, 2, 3))
    assert 140 < still.sum() < 260
    assert np.all(u[~still].std(axis=(1, 2, 3)) > 0.1)
