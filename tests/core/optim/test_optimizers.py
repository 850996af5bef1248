import numpy as np
import pytest

from core.errors import ConfigError
from core.nn.layer import Parameter
from core.optim.optimizers import OPTIMIZERS, SGD


def parameter(values: list[float], gradient: list[float], dtype: type[np.floating] = np.float64) -> Parameter:
    made = Parameter(np.array(values, dtype))
    made.grad[...] = gradient
    return made


def test_sgd_steps_against_the_gradient_worked_by_hand() -> None:
    w = parameter([1.0, -2.0, 0.0], [0.5, -1.0, 2.0])
    SGD().step(w, 0.1)
    # 1 − 0.1·0.5 = 0.95;  −2 − 0.1·(−1) = −1.9;  0 − 0.1·2 = −0.2
    np.testing.assert_allclose(w.value, [0.95, -1.9, -0.2], rtol=0, atol=1e-15)


def test_sgd_with_weight_decay_pulls_towards_zero_first_worked_by_hand() -> None:
    w = parameter([1.0, -2.0, 0.0], [0.5, -1.0, 2.0])
    SGD(weight_decay=0.5).step(w, 0.1)
    # The factor is 1 − 0.1·0.5 = 0.95:  0.95·1 − 0.05 = 0.9;  0.95·(−2) + 0.1 = −1.8;  0.95·0 − 0.2 = −0.2
    np.testing.assert_allclose(w.value, [0.9, -1.8, -0.2], rtol=0, atol=1e-15)


def test_sgd_with_weight_decay_equals_sgd_on_a_loss_with_an_l2_penalty() -> None:
    rng = np.random.default_rng(0)
    values, gradient = rng.standard_normal(50).tolist(), rng.standard_normal(50)
    decayed, penalized = parameter(values, gradient.tolist()), parameter(values, gradient.tolist())
    penalized.grad += 0.3 * penalized.value  # the gradient of ½ λ ‖w‖²
    SGD(weight_decay=0.3).step(decayed, 0.2)
    SGD().step(penalized, 0.2)
    np.testing.assert_allclose(decayed.value, penalized.value, atol=1e-15)


def test_a_step_works_in_place_and_leaves_the_gradient_alone() -> None:
    w = parameter([1.0, 2.0], [3.0, 4.0])
    value, view = w.value, w.value[:1]
    SGD(weight_decay=0.1).step(w, 0.1)
    assert w.value is value
    assert view[0] == w.value[0]
    assert w.grad.tolist() == [3.0, 4.0]


def test_float32_stays_float32_whatever_the_type_of_the_learning_rate() -> None:
    w = parameter([1.0], [1.0], np.float32)
    SGD(weight_decay=0.1).step(w, float(np.float64(0.1)))
    SGD(weight_decay=0.1).step(w, np.float64(0.1))
    assert w.value.dtype == np.float32


def test_one_optimizer_serves_parameters_of_different_shape_and_type() -> None:
    sgd = SGD()
    for dtype, count in [(np.float64, 2), (np.float32, 2), (np.float32, 5), (np.float64, 3)]:
        w = parameter([1.0] * count, [1.0] * count, dtype)
        sgd.step(w, 0.25)
        assert w.value.tolist() == [0.75] * count


def test_a_step_with_learning_rate_zero_changes_nothing() -> None:
    w = parameter([1.0, -2.0], [3.0, 4.0])
    SGD(weight_decay=0.5).step(w, 0.0)
    assert w.value.tolist() == [1.0, -2.0]


def test_gradient_descent_on_a_bowl_finds_its_bottom() -> None:
    w, sgd = parameter([5.0, -3.0], [0.0, 0.0]), SGD()
    for _ in range(200):
        w.grad[...] = w.value - np.array([1.0, 2.0])  # the gradient of ½ ‖w − (1, 2)‖²
        sgd.step(w, 0.1)
    np.testing.assert_allclose(w.value, [1.0, 2.0], atol=1e-8)


@pytest.mark.parametrize("weight_decay", [-0.1, 1.0, 2.0, float("nan"), float("inf")])
def test_an_impossible_weight_decay_is_refused(weight_decay: float) -> None:
    with pytest.raises(ConfigError, match=r"sgd: weight_decay = .*, expected at least 0 and below 1"):
        SGD(weight_decay=weight_decay)


def test_sgd_is_known_to_recipes_by_name() -> None:
    assert OPTIMIZERS["sgd"] is SGD
