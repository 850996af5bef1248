"""Each update rule: worked by hand, against a plain twin, and compared with related rules."""

from collections.abc import Callable

import numpy as np
import pytest

from core.nn.layer import Parameter
from core.optim.optimizers import OPTIMIZERS, SGD, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSprop
from core.registry import construct
from tests.floats import assert_close, assert_same_function, by_hand, close


def parameter(values: list[float], gradient: list[float], dtype: type[np.floating] = np.float64) -> Parameter:
    made = Parameter(np.array(values, dtype))
    made.grad[...] = gradient
    return made


def walk(optimizer: Optimizer, start: float, gradients: list[float], learning_rate: float) -> list[float]:
    """Where a single weight is after each step."""
    w, path = parameter([start], [0.0]), []
    for gradient in gradients:
        w.grad[...] = gradient
        optimizer.step(w, learning_rate)
        path.append(float(w.value[0]))
    return path


# worked by hand


def test_sgd_steps_against_the_gradient_worked_by_hand() -> None:
    w = parameter([1.0, -2.0, 0.0], [0.5, -1.0, 2.0])
    SGD().step(w, 0.1)
    # 1 − 0.1·0.5 = 0.95;  −2 − 0.1·(−1) = −1.9;  0 − 0.1·2 = −0.2
    assert w.value == by_hand([0.95, -1.9, -0.2])


def test_sgd_with_weight_decay_pulls_towards_zero_first_worked_by_hand() -> None:
    w = parameter([1.0, -2.0, 0.0], [0.5, -1.0, 2.0])
    SGD(weight_decay=0.5).step(w, 0.1)
    # The factor is 1 − 0.1·0.5 = 0.95:  0.95·1 − 0.05 = 0.9;  0.95·(−2) + 0.1 = −1.8;  0.95·0 − 0.2 = −0.2
    assert w.value == by_hand([0.9, -1.8, -0.2])


def test_two_steps_of_momentum_worked_by_hand() -> None:
    # b = 0.5,                  w = 1 − 0.1·0.5     = 0.95
    # b = 0.9·0.5 + 1 = 1.45,   w = 0.95 − 0.1·1.45 = 0.805
    assert walk(Momentum(momentum=0.9), 1, [0.5, 1], 0.1) == by_hand([0.95, 0.805])
    # The same b; but each time w is first multiplied by 1 − 0.1·0.5 = 0.95:
    # 0.95·1 − 0.05 = 0.9;  0.95·0.9 − 0.145 = 0.71
    decaying = Momentum(momentum=0.9, weight_decay=0.5)
    assert walk(decaying, 1, [0.5, 1], 0.1) == by_hand([0.9, 0.71])


def test_two_steps_of_nesterov_worked_by_hand() -> None:
    # b = 0.5,    g + μ b = 0.5 + 0.9·0.5 = 0.95,   w = 1 − 0.095      = 0.905
    # b = 1.45,   g + μ b = 1 + 0.9·1.45  = 2.305,  w = 0.905 − 0.2305 = 0.6745
    assert walk(Nesterov(momentum=0.9), 1, [0.5, 1], 0.1) == by_hand([0.905, 0.6745])
    # 0.95·1 − 0.095 = 0.855;  0.95·0.855 − 0.2305 = 0.58175
    decaying = Nesterov(momentum=0.9, weight_decay=0.5)
    assert walk(decaying, 1, [0.5, 1], 0.1) == by_hand([0.855, 0.58175])


def test_two_steps_of_rmsprop_worked_by_hand() -> None:
    # v̂ = 0.25·2² = 1,            w = 1 − 0.1·2 / (1 + 1)   = 0.9
    # v̂ = 0.75·1 + 0.25·1² = 1,   w = 0.9 − 0.1·1 / (1 + 1) = 0.85
    assert walk(RMSprop(decay=0.75, eps=1), 1, [2, 1], 0.1) == by_hand([0.9, 0.85])
    # 0.95·1 − 0.1 = 0.85;  0.95·0.85 − 0.05 = 0.7575
    decaying = RMSprop(decay=0.75, eps=1, weight_decay=0.5)
    assert walk(decaying, 1, [2, 1], 0.1) == by_hand([0.85, 0.7575])


def test_two_steps_of_adam_worked_by_hand() -> None:
    # m̂ = 2,                                 v̂ = 2² = 4,
    #     w = 1 − 0.1·2 / (√4 + 1)        = 1 − 3/45
    # m̂ = (0.5·2 − 2) / (0.5 + 1) = −2/3,    v̂ = (0.75·4 + (−2)²) / (0.75 + 1) = 4,
    #     w = 1 − 3/45 + 0.1·2/3 / (√4 + 1) = 1 − 2/45
    options = {"beta1": 0.5, "beta2": 0.75, "eps": 1.0}
    assert walk(Adam(**options), 1, [2, -2], 0.1) == by_hand([1 - 3 / 45, 1 - 2 / 45])
    # 0.95·1 − 3/45;  0.95·(0.95 − 3/45) + 1/45
    found = walk(AdamW(**options, weight_decay=0.5), 1, [2, -2], 0.1)
    assert found == by_hand([0.95 - 3 / 45, 0.95 * (0.95 - 3 / 45) + 1 / 45])


def test_the_first_step_of_adam_is_as_long_as_the_rate_whatever_the_gradient() -> None:
    for gradient in (1e-3, 1, -1e6):
        assert abs(walk(Adam(), 0, [gradient], 0.01)[0]) == close(
            0.01, rel=1e-4, why="eps, beside the smallest gradient"
        )


# against plain twins, as the papers write them

Twin = Callable[[np.ndarray, list[np.ndarray]], np.ndarray]


def rmsprop_as_published(w: np.ndarray, gradients: list[np.ndarray]) -> np.ndarray:
    mean_square = np.zeros_like(w)
    for g in gradients:
        mean_square = 0.99 * mean_square + (1 - 0.99) * g**2
        w = w - 0.01 * g / (np.sqrt(mean_square) + 1e-8)
    return w


def adam_as_published(w: np.ndarray, gradients: list[np.ndarray]) -> np.ndarray:
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        w = w - 0.01 * m_hat / (np.sqrt(v_hat) + 1e-8)
    return w


@pytest.mark.parametrize(("kind", "twin"), [("rmsprop", rmsprop_as_published), ("adam", adam_as_published)])
def test_sums_instead_of_means_make_no_difference(kind: str, twin: Twin) -> None:
    rng = np.random.default_rng(0)
    gradients = [rng.standard_normal(50) * 10.0 ** rng.integers(-6, 3, 50) for _ in range(40)]
    w, optimizer = Parameter(rng.standard_normal(50)), OPTIMIZERS[kind]()
    expected = twin(w.value.copy(), gradients)
    for g in gradients:
        w.grad[...] = g
        optimizer.step(w, 0.01)
    assert_close(w.value, expected, abs=1e-12, why="forty steps, each divided by a root that begins near 0")


# how they relate


def test_sgd_with_weight_decay_equals_sgd_on_a_loss_with_an_l2_penalty() -> None:
    rng = np.random.default_rng(0)
    values, gradient = rng.standard_normal(50).tolist(), rng.standard_normal(50)
    decayed, penalized = parameter(values, gradient.tolist()), parameter(values, gradient.tolist())
    penalized.grad += 0.3 * penalized.value  # the gradient of ½ λ ‖w‖²
    SGD(weight_decay=0.3).step(decayed, 0.2)
    SGD().step(penalized, 0.2)
    assert_same_function(decayed.value, penalized.value, terms=3)


@pytest.mark.parametrize("kind", ["momentum", "nesterov"])
def test_without_momentum_it_is_sgd(kind: str) -> None:
    gradients = [0.5, -1.0, 2.0]
    without = construct(OPTIMIZERS, {"kind": kind, "momentum": 0.0, "weight_decay": 0.1})
    assert walk(without, 1, gradients, 0.1) == walk(SGD(weight_decay=0.1), 1, gradients, 0.1)


def test_adamw_without_weight_decay_is_adam() -> None:
    gradients = [0.5, -1.0, 2.0]
    assert walk(AdamW(weight_decay=0.0), 1, gradients, 0.1) == walk(Adam(), 1, gradients, 0.1)


@pytest.mark.parametrize("kind", ["sgd", "momentum", "nesterov", "rmsprop", "adamw"])
def test_weight_decay_is_decoupled_from_the_gradients(kind: str) -> None:
    options = {"kind": kind, "weight_decay": 0.5}
    assert walk(construct(OPTIMIZERS, options), 1, [0.0, 0.0], 0.1) == by_hand([0.95, 0.95**2])
