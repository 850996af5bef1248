"""Which checks belong to which exercise."""

from collections.abc import Callable, Mapping
from typing import Any

from exercises.checks import (
    adam,
    batch_norm,
    convolution,
    dense,
    dropout,
    gradient_check,
    im2col,
    initialization,
    loss,
    max_pooling,
    minibatches,
    momentum,
    own_layer,
    relu,
    sgd,
)

__all__ = ["CHECKS", "Check"]

Check = Callable[[Mapping[str, Any]], None]
"""From the names that a learner's file defines; raises `WrongError`, or whatever the learner's code raises."""

CHECKS: dict[str, tuple[Check, ...]] = {
    "01_dense_forward": (dense.FORWARD,),
    "02_dense_backward": (dense.BACKWARD,),
    "03_relu": (relu.FORWARD, relu.BACKWARD),
    "04_softmax": (loss.SOFTMAX,),
    "05_cross_entropy": (loss.CROSS_ENTROPY,),
    "06_gradient_check": gradient_check.CHECKS,
    "07_he_initialization": (initialization.he,),
    "08_sgd": (sgd.SGD,),
    "09_minibatches": (minibatches.epochs,),
    "10_momentum": (momentum.MOMENTUM,),
    "11_adam": (adam.ADAM,),
    "12_batch_norm": (batch_norm.FORWARD, batch_norm.BACKWARD),
    "13_dropout": (dropout.forward, dropout.BACKWARD),
    "14_convolution": (convolution.AS_LOOPS,),
    "15_im2col": im2col.AS_PRODUCT,
    "16_max_pooling": (max_pooling.BACKWARD,),
    "17_own_layer": (own_layer.slopes,),
}
