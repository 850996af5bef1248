"""Agreement with PyTorch, if it is installed: the same gradients give the same weights, up to rounding."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.nn.layer import Parameter
from core.optim.clip import clip_by_norm, clip_by_value
from core.optim.optimizers import OPTIMIZERS
from core.optim.schedules import Constant, Cosine, Exponential, OneCycle, ReduceOnPlateau, Schedule, Step
from core.registry import construct
from tests.floats import assert_close, assert_same_function, by_hand

torch = pytest.importorskip("torch")

STEPS, COUNT, RATE = 10, 1000, 0.01

OPTIMIZER_PAIRS: dict[str, tuple[dict[str, Any], Callable[..., Any]]] = {
    "sgd": ({"kind": "sgd"}, lambda p: torch.optim.SGD(p, lr=RATE)),
    "sgd, decay": (
        {"kind": "sgd", "weight_decay": 0.1},
        lambda p: torch.optim.SGD(p, lr=RATE, weight_decay=0.1),
    ),
    "momentum": (
        {"kind": "momentum", "momentum": 0.8},
        lambda p: torch.optim.SGD(p, lr=RATE, momentum=0.8),
    ),
    "nesterov": (
        {"kind": "nesterov", "momentum": 0.8},
        lambda p: torch.optim.SGD(p, lr=RATE, momentum=0.8, nesterov=True),
    ),
    "rmsprop": ({"kind": "rmsprop"}, lambda p: torch.optim.RMSprop(p, lr=RATE)),
    "rmsprop, options": (
        {"kind": "rmsprop", "decay": 0.9, "eps": 1e-3},
        lambda p: torch.optim.RMSprop(p, lr=RATE, alpha=0.9, eps=1e-3),
    ),
    "adam": ({"kind": "adam"}, lambda p: torch.optim.Adam(p, lr=RATE)),
    "adam, options": (
        {"kind": "adam", "beta1": 0.8, "beta2": 0.9, "eps": 1e-3},
        lambda p: torch.optim.Adam(p, lr=RATE, betas=(0.8, 0.9), eps=1e-3),
    ),
    "adamw": ({"kind": "adamw"}, lambda p: torch.optim.AdamW(p, lr=RATE)),
    "adamw, decay": (
        {"kind": "adamw", "weight_decay": 0.2},
        lambda p: torch.optim.AdamW(p, lr=RATE, weight_decay=0.2),
    ),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("pair", OPTIMIZER_PAIRS)
def test_ten_steps_of_every_optimizer_agree(pair: str, dtype: type[np.floating]) -> None:
    entry, make = OPTIMIZER_PAIRS[pair]
    rng = np.random.default_rng(0)
    ours = Parameter(rng.standard_normal(COUNT).astype(dtype))
    theirs = torch.nn.Parameter(torch.from_numpy(ours.value.copy()))
    optimizer, reference = construct(OPTIMIZERS, entry), make([theirs])
    for _ in range(STEPS):
        ours.grad[...] = rng.standard_normal(COUNT) * 10.0 ** rng.integers(-4, 2, COUNT)
        theirs.grad = torch.from_numpy(ours.grad.copy())
        optimizer.step(ours, RATE)
        reference.step()
        assert_same_function(ours.value, theirs.detach().numpy(), terms=8 * STEPS)


@pytest.mark.parametrize(("kind", "nesterov"), [("momentum", False), ("nesterov", True)])
def test_momentum_with_weight_decay_is_pytorchs_on_weights_shrunk_by_hand(kind: str, nesterov: bool) -> None:
    rng = np.random.default_rng(0)
    ours = Parameter(rng.standard_normal(COUNT))
    theirs = torch.nn.Parameter(torch.from_numpy(ours.value.copy()))
    optimizer = construct(OPTIMIZERS, {"kind": kind, "weight_decay": 0.1})
    reference = torch.optim.SGD([theirs], lr=RATE, momentum=0.9, nesterov=nesterov)
    for _ in range(STEPS):
        ours.grad[...] = rng.standard_normal(COUNT)
        theirs.grad = torch.from_numpy(ours.grad.copy())
        optimizer.step(ours, RATE)
        with torch.no_grad():
            theirs.mul_(1 - RATE * 0.1)
        reference.step()
    assert_same_function(ours.value, theirs.detach().numpy(), terms=8 * STEPS)


@pytest.mark.parametrize("limit", [0.5, 10.0, 1e4])
def test_clipping_agrees(limit: float) -> None:
    rng = np.random.default_rng(0)
    for ours_clips, theirs_clips in [
        (clip_by_norm, torch.nn.utils.clip_grad_norm_),
        (clip_by_value, torch.nn.utils.clip_grad_value_),
    ]:
        ours, theirs = Parameter(np.zeros(COUNT)), torch.nn.Parameter(torch.zeros(COUNT, dtype=torch.float64))
        ours.grad[...] = rng.standard_normal(COUNT)
        theirs.grad = torch.from_numpy(ours.grad.copy())
        norm, reference = ours_clips(ours, limit), theirs_clips([theirs], limit)
        assert_close(ours.grad, theirs.grad.numpy(), rel=1e-7, why="PyTorch divides by the norm, about 32, plus 10⁻⁶")
        if reference is not None:
            assert_same_function(norm, float(reference), terms=COUNT)


def torch_factors(make: Callable[[Any], Any], steps: int) -> list[float]:
    """The learning rates of `steps` steps with a base of 1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule, found = make(optimizer), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def after_warm_up(optimizer: Any) -> Any:
    lr = torch.optim.lr_scheduler
    # Ten steps from 1/11 to 1, as ours; then a cosine over the ninety that are left.
    warm = lr.LinearLR(optimizer, start_factor=1 / 11, total_iters=10)
    return lr.SequentialLR(optimizer, [warm, lr.CosineAnnealingLR(optimizer, 90)], milestones=[10])


SCHEDULE_PAIRS: dict[str, tuple[Schedule, Callable[[Any], Any]]] = {
    "constant": (Constant(), lambda o: torch.optim.lr_scheduler.ConstantLR(o, factor=1.0)),
    "cosine": (Cosine(), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 100)),
    "cosine, end": (Cosine(end=0.1), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 100, eta_min=0.1)),
    "step": (
        Step(at=(0.3, 0.7), factor=0.2),
        lambda o: torch.optim.lr_scheduler.MultiStepLR(o, milestones=[30, 70], gamma=0.2),
    ),
    "exponential": (
        Exponential(end=0.02),
        lambda o: torch.optim.lr_scheduler.ExponentialLR(o, gamma=0.02 ** (1 / 100)),
    ),
    "warm-up": (Cosine(warmup=0.1), after_warm_up),
    # PyTorch's cycle ends on its last step, ours would end one step after it: so theirs has one step more. Its peak is
    # at step 0.25 · 101 − 1 = 24.25, unless the share is chosen so that it is a whole one.
    "one cycle": (
        OneCycle(warmup=0.3),
        lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 1.0, total_steps=101, pct_start=31 / 101),
    ),
    "one cycle, options": (
        OneCycle(warmup=0.5, start=0.1, end=0.001),
        lambda o: torch.optim.lr_scheduler.OneCycleLR(
            o, 1.0, total_steps=101, pct_start=51 / 101, div_factor=10, final_div_factor=100
        ),
    ),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("pair", SCHEDULE_PAIRS)
def test_every_schedule_that_pytorch_has_agrees(pair: str) -> None:
    schedule, make = SCHEDULE_PAIRS[pair]
    ours = [schedule(step, 100) for step in range(100)]
    assert_close(ours, torch_factors(make, 100), rel=1e-9, abs=1e-12, why="PyTorch multiplies step by step")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("patience", "threshold"), [(0, 0.0), (2, 1e-4), (3, 0.05)])
def test_reduce_on_plateau_agrees_on_any_history(seed: int, patience: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    losses = (np.exp(-np.arange(40) / 10) + 0.2 * rng.random(40)).tolist()
    schedule = ReduceOnPlateau(factor=0.5, patience=patience, threshold=threshold, end=0.01)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience, threshold=threshold, min_lr=0.01
    )
    for epoch, loss in enumerate(losses, start=1):
        reference.step(loss)
        assert schedule(0, 1, losses[:epoch]) == by_hand(optimizer.param_groups[0]["lr"])
    assert schedule(0, 1, losses) < 1
