"""The ensemble: several networks that vote with their probabilities."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape
from core.kernels.logarithms import log_mean_exp, log_softmax
from core.nn.chain import Chain
from core.nn.composite import Composite
from core.nn.layer import Layer
from core.nn.residual import Make


class Ensemble(Composite):
    """y = log (1/M Σ_m p_m) with p_m = softmax(z_m), where z_m are the logits of member m, a chain of layers.

    So softmax(y) is the mean of the members' probabilities: model averaging (Hansen & Salamon 1990; Dietterich 2000,
    §1). Members that err on different images outvote each other's errors; if they all erred alike, the mean would be
    no better than one of them, and it is never worse than they are on average (Goodfellow, Bengio & Courville 2016,
    §7.11). As y are logits like any others, code that takes their softmax need not know that there are several
    networks.

        { kind = "ensemble", members = [[ {…}, … ], [ {…}, … ]] }

    With ℓ_m = log p_m = z_m − log Σ_j exp(z_mj), this is y = log Σ_m exp(ℓ_m) − log M, and the chain rule goes back in
    two steps. In the first, each member gets the share of dy that it has in the mean, class by class:

        r_m = p_m / Σ_n p_n = exp(ℓ_m − y) / M        dℓ_m = r_m · dy

    In the second, through a softmax and its logarithm, ∂ℓ_mk/∂z_mj = [j = k] − p_mj:

        dz_m = dℓ_m − p_m Σ_k dℓ_mk        dx = Σ_m (member m's backward pass of dz_m)

    A loss at the end of an ensemble trains the members together, each to correct the errors of the others. Usually they
    are trained one by one, so that their errors differ, and `combine` merges their states.

    Parameters: those of the members, prefixed with the member's index, e.g. `2.0.dense.W`.
    """

    kind: ClassVar[str] = "ensemble"

    def __init__(
        self,
        input_shape: Shape,
        *,
        members: Sequence[Sequence[Mapping[str, Any]]],
        make: Make,
        dtype: DTypeLike = np.float32,
    ) -> None:
        chains = [_member(index, layers, input_shape, make, dtype) for index, layers in enumerate(members)]
        if not chains:
            raise ArchitectureError("ensemble: members is empty, expected at least one list of layers")
        output_shape = chains[0].output_shape
        for index, member in enumerate(chains):
            if (found := member.output_shape) != output_shape:
                raise ArchitectureError(f"ensemble: member {index} gives {found}, expected {output_shape} as member 0")
        if not output_shape:
            raise ArchitectureError("ensemble: members give (), expected at least one axis, that of the classes")
        super().__init__(input_shape, output_shape, {str(index): chain for index, chain in enumerate(chains)}, dtype)

    @property
    def members(self) -> Collection[Layer]:
        """The chains, in their order."""
        return self.parts.values()

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = log Σ_m exp(ℓ_m) − log M."""
        z = self.scratch("z", (len(x), len(self.members), *self.output_shape))  # (N, M, …, K)
        for m, member in enumerate(self.members):
            z[:, m] = member.forward(x, training=training)
        return self.vote(z, training=training)

    def vote(self, z: Array, *, training: bool = False) -> Array:
        """y from the members' logits, (N, M, …, K), which are overwritten by ℓ."""
        logp = log_softmax(z, self.scratch)
        y = log_mean_exp(logp, self.scratch)
        if training:
            self.logp, self.y = logp, y
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dz_m = r_m · dy − p_m Σ_k r_mk dy_k, each back through its member; dx is the sum of their gradients."""
        dz = np.subtract(self.logp, self.y[:, np.newaxis], out=self.scratch("dz", self.logp.shape))  # (N, M, …, K)
        np.exp(dz, out=dz)
        dz /= len(self.members)  # r
        dz *= dy[:, np.newaxis]  # dℓ
        p = np.exp(self.logp, out=self.scratch("p", dz.shape))
        p *= dz.sum(axis=-1, keepdims=True)
        dz -= p
        dx: Array = self.scratch("dx", (len(dy), *self.input_shape))
        dx[...] = 0
        dz_m = self.scratch("dz_m", dy.shape)
        for m, member in enumerate(self.members):
            dz_m[...] = dz[:, m]  # (N, …, K)
            dx_m = member.backward(dz_m, need_dx=need_dx)
            if dx_m is not None:
                dx += dx_m
        return dx if need_dx else None


def combine(states: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """The state of a network that is one ensemble, from the states of its members, each trained as its own network.

    Args:
        states: In the members' order, as `Sequential.state` gives them.

    Returns:
        The same arrays under their names in the ensemble: `0.dense.W` of member 2 is `0.ensemble.2.0.dense.W`.
    """
    return {
        f"0.{Ensemble.kind}.{index}.{name}": array
        for index, state in enumerate(states)
        for name, array in state.items()
    }


def _member(index: int, layers: Sequence[Mapping[str, Any]], input_shape: Shape, make: Make, dtype: DTypeLike) -> Chain:
    try:
        member = Chain(input_shape, make(input_shape, layers), dtype)
    except ArchitectureError as error:
        raise ArchitectureError(f"ensemble: member {index}: {error}") from error
    if not member.layers:
        raise ArchitectureError(f"ensemble: member {index} is empty, expected at least one layer")
    return member
