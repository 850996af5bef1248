"""Properties of every optimizer: it works in place and in float32, finds minima, and checks its options."""

import tracemalloc
from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest

from core.errors import ConfigError, TrainingError
from core.nn.layer import Parameter
from core.optim.optimizers import BLOCK, OPTIMIZERS, SGD, Momentum, Optimizer
from core.registry import construct
from tests.floats import assert_close

KINDS = sorted(OPTIMIZERS)
DECAYING = sorted(set(KINDS) - {"adam"})


def parameter(values: list[float], gradient: list[float], dtype: type[np.floating] = np.float64) -> Parameter:
    made = Parameter(np.array(values, dtype))
    made.grad[...] = gradient
    return made


# in place, in float32, without allocation


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_works_in_place_and_leaves_the_gradient_alone(kind: str) -> None:
    w = parameter([1.0, 2.0], [3.0, 4.0])
    value, view = w.value, w.value[:1]
    OPTIMIZERS[kind]().step(w, 0.1)
    assert w.value is value
    assert view[0] == w.value[0] != 1.0
    assert w.grad.tolist() == [3.0, 4.0]


@pytest.mark.parametrize("kind", KINDS)
def test_float32_stays_float32_whatever_the_type_of_the_learning_rate(kind: str) -> None:
    for rate in (float(np.float64(0.1)), np.float64(0.1)):
        w, optimizer = parameter([1.0], [1.0], np.float32), OPTIMIZERS[kind]()
        optimizer.step(w, rate)
        optimizer.step(w, rate)
        assert w.value.dtype == np.float32
        assert all(optimizer.state()[name].dtype == np.float32 for name in optimizer.slots)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gradient", [0.0, 1e-30, 1e-15, 1e15])
def test_tiny_and_huge_gradients_leave_float32_weights_finite(kind: str, gradient: float) -> None:
    w, optimizer = parameter([1.0], [gradient], np.float32), OPTIMIZERS[kind]()
    for _ in range(3):
        optimizer.step(w, 1e-3)
    assert np.isfinite(w.value).all()
    if kind in {"adam", "adamw", "rmsprop"}:
        assert abs(w.value[0] - 1) < 0.03  # three steps, of at most ten learning rates each


@pytest.mark.parametrize("kind", KINDS)
def test_after_the_first_step_nothing_is_allocated(kind: str) -> None:
    w, optimizer = Parameter(np.ones(100_000, np.float32)), OPTIMIZERS[kind]()
    optimizer.step(w, 0.1)
    tracemalloc.start()
    optimizer.step(w, 0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4096  # views and numbers; one array would be 400,000 bytes


@pytest.mark.parametrize("kind", KINDS)
def test_a_matrix_is_updated_like_the_vector_of_its_numbers(kind: str) -> None:
    rng = np.random.default_rng(0)
    matrix, flat = Parameter(rng.standard_normal((3, 4))), Parameter(np.zeros(12))
    flat.value[...] = matrix.value.ravel()
    first, second = OPTIMIZERS[kind](), OPTIMIZERS[kind]()
    for _ in range(3):
        flat.grad[...] = rng.standard_normal(12)
        matrix.grad[...] = flat.grad.reshape(3, 4)
        first.step(matrix, 0.1)
        second.step(flat, 0.1)
    np.testing.assert_array_equal(matrix.value.ravel(), flat.value)


def test_sgd_has_no_state_and_updates_parameters_of_any_shape_and_type() -> None:
    sgd = SGD()
    for dtype, count in [(np.float64, 2), (np.float32, 2), (np.float32, 5), (np.float64, 3)]:
        w = parameter([1.0] * count, [1.0] * count, dtype)
        sgd.step(w, 0.25)
        assert w.value.tolist() == [0.75] * count


@pytest.mark.parametrize("kind", [kind for kind in KINDS if OPTIMIZERS[kind].slots])
def test_an_optimizer_with_state_refuses_another_parameter(kind: str) -> None:
    optimizer = OPTIMIZERS[kind]()
    optimizer.step(parameter([1.0, 2.0], [1.0, 1.0]), 0.1)
    for other in (parameter([1.0] * 3, [1.0] * 3), parameter([1.0, 2.0], [1.0, 1.0], np.float32)):
        before = other.value.copy()
        with pytest.raises(TrainingError, match=rf"{kind}: .* is float64 \(2,\), but the parameter float.*belongs to"):
            optimizer.step(other, 0.1)
        np.testing.assert_array_equal(other.value, before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_with_learning_rate_zero_changes_no_weight(kind: str) -> None:
    w = parameter([1.0, -2.0], [3.0, 4.0])
    OPTIMIZERS[kind]().step(w, 0.0)
    assert w.value.tolist() == [1.0, -2.0]


# bowls and valleys

RATES = {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.02, "rmsprop": 0.05, "adam": 0.1, "adamw": 0.1}


def descend(
    optimizer: Optimizer, start: list[float], gradient: Callable[[np.ndarray], Any], rate: float, steps: int
) -> np.ndarray:
    """Where `steps` steps lead, the rate falling linearly to 0: steps of a fixed length would never settle."""
    w = parameter(start, [0.0] * len(start))
    for step in range(steps):
        w.grad[...] = gradient(w.value)
        optimizer.step(w, rate * (1 - step / steps))
    return w.value


@pytest.mark.parametrize("kind", KINDS)
def test_on_a_bowl_every_optimizer_finds_the_bottom(kind: str) -> None:
    options = {"kind": kind} | ({"weight_decay": 0.0} if kind in DECAYING else {})
    bottom = np.array([1.0, 2.0])
    found = descend(construct(OPTIMIZERS, options), [5.0, -3.0], lambda w: [1, 10] * (w - bottom), RATES[kind], 1000)
    assert_close(found, bottom, abs=1e-3, why="a descent that ends after so many steps")


def rosenbrock(w: np.ndarray) -> list[float]:
    """The gradient of (1 − x)² + 10 (y − x²)², a bent valley with its lowest point at (1, 1)."""
    x, y = w
    return [-2 * (1 - x) - 40 * x * (y - x**2), 20 * (y - x**2)]


@pytest.mark.parametrize("kind", KINDS)
def test_along_a_bent_valley_every_optimizer_finds_the_lowest_point(kind: str) -> None:
    options = {"kind": kind} | ({"weight_decay": 0.0} if kind in DECAYING else {})
    rate = RATES[kind] / 20 if kind in {"sgd", "momentum", "nesterov"} else RATES[kind]
    found = descend(construct(OPTIMIZERS, options), [-1.5, 1.0], rosenbrock, rate, 6000)
    assert_close(found, [1, 1], abs=0.02, why="a descent that ends after so many steps")


def test_in_a_narrow_valley_momentum_is_far_ahead_of_plain_descent() -> None:
    def narrow(w: np.ndarray) -> np.ndarray:
        return np.array([1.0, 100.0]) * w  # steeper by 100 across than along

    # Plain descent must keep η below 2/100. The best μ is ((√100 − 1) / (√100 + 1))² = 0.67 (Polyak 1964).
    plain = descend(SGD(), [1.0, 1.0], narrow, 0.015, 200)
    rolling = descend(Momentum(momentum=((sqrt(100) - 1) / (sqrt(100) + 1)) ** 2), [1.0, 1.0], narrow, 0.03, 200)
    assert np.linalg.norm(rolling) < np.linalg.norm(plain) / 20


# options


@pytest.mark.parametrize("kind", DECAYING)
@pytest.mark.parametrize("weight_decay", [-0.1, 1.0, 2.0, float("nan"), float("inf")])
def test_an_impossible_weight_decay_is_refused(kind: str, weight_decay: float) -> None:
    with pytest.raises(ConfigError, match=rf"{kind}: weight_decay = .*, expected at least 0 and below 1"):
        construct(OPTIMIZERS, {"kind": kind, "weight_decay": weight_decay})


@pytest.mark.parametrize(
    ("kind", "option"),
    [("momentum", "momentum"), ("nesterov", "momentum"), ("rmsprop", "decay")]
    + [(kind, f"beta{n}") for kind in ("adam", "adamw") for n in (1, 2)],
)
@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan")])
def test_an_impossible_share_of_the_past_is_refused(kind: str, option: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{kind}: {option} = .*, expected at least 0 and below 1"):
        construct(OPTIMIZERS, {"kind": kind, option: value})


@pytest.mark.parametrize("kind", ["rmsprop", "adam", "adamw"])
@pytest.mark.parametrize("eps", [0.0, -1e-8, 1e-45, float("inf"), float("nan")])
def test_an_eps_that_could_not_prevent_a_division_by_zero_is_refused(kind: str, eps: float) -> None:
    with pytest.raises(ConfigError, match=f"{kind}: eps = .*, expected a finite number of at least 1.2e-38"):
        construct(OPTIMIZERS, {"kind": kind, "eps": eps})


def test_adam_has_no_weight_decay_of_its_own() -> None:
    with pytest.raises(ConfigError, match="adam: unknown option weight_decay; known: beta1, beta2, eps"):
        construct(OPTIMIZERS, {"kind": "adam", "weight_decay": 0.1})


def test_a_value_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(ConfigError, match="momentum: .*given were {'momentum': 'much'}"):
        construct(OPTIMIZERS, {"kind": "momentum", "momentum": "much"})


def test_recipes_know_every_optimizer_by_its_name() -> None:
    assert {"sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"} <= OPTIMIZERS.keys(), "recipes name these"
    assert all(OPTIMIZERS[kind].kind == kind for kind in KINDS)
    assert RATES.keys() == OPTIMIZERS.keys(), "each is tested with a rate that suits it"


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_vector_longer_than_a_block_is_updated_as_if_it_were_whole(kind: str) -> None:
    length, first = 2 * BLOCK + 7, 5
    rng = np.random.default_rng(0)
    values, gradients = rng.standard_normal(length), rng.standard_normal((3, length))
    long, ends = Parameter(values.copy()), Parameter(np.concatenate([values[:first], values[-first:]]))
    stepped, compared = OPTIMIZERS[kind](), OPTIMIZERS[kind]()
    for g in gradients:
        long.grad[:], ends.grad[:] = g, np.concatenate([g[:first], g[-first:]])
        stepped.step(long, 0.1)
        compared.step(ends, 0.1)
    np.testing.assert_array_equal(np.concatenate([long.value[:first], long.value[-first:]]), ends.value)
