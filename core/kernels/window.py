"""How a kernel slides over a picture: what convolution and pooling have in common."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import ArchitectureError
from core.kernels.arrays import Shape

PADDINGS = ("valid", "same")


@dataclass(frozen=True)
class Window:
    """A kernel that slides along one axis: output o sees the inputs o·stride … o·stride + kernel − 1.

    Inputs are counted from the first element of the padding, if there is any.

    Attributes:
        size: Elements along the axis, without padding.
        kernel: Elements that one output sees.
        stride: Elements from one output to the next.
        before: Elements of padding at the start.
        after: Elements of padding at the end.
        outputs: How many positions the kernel has.
    """

    size: int
    kernel: int
    stride: int
    before: int
    after: int
    outputs: int

    @classmethod
    def valid(cls, size: int, kernel: int, stride: int) -> Self:
        """No padding: the kernel stays inside (Dumoulin & Visin 2016, relationship 5). Elements may be left over."""
        return cls(size, kernel, stride, before=0, after=0, outputs=(size - kernel) // stride + 1)

    @classmethod
    def same(cls, size: int, kernel: int, stride: int) -> Self:
        """As many outputs as strides start on the axis: ⌈size / stride⌉; with stride 1, as many as inputs.

        Where the padding is odd, the extra element goes to the end, as in PyTorch and TensorFlow.
        """
        outputs = -(-size // stride)
        padding = max((outputs - 1) * stride + kernel - size, 0)
        return cls(size, kernel, stride, before=padding // 2, after=padding - padding // 2, outputs=outputs)

    @cached_property
    def padded(self) -> int:
        """Elements along the axis, with padding."""
        return self.before + self.size + self.after

    @cached_property
    def left_over(self) -> int:
        """Elements at the end that no output sees."""
        return self.padded - (self.outputs - 1) * self.stride - self.kernel

    @cached_property
    def mirrored(self) -> "Window":
        """The window that carries gradients back, from outputs to inputs; for stride 1.

        Input u was seen by the outputs u − kernel + 1 … u, counted from the padding's start: a window of the same
        size, over outputs that are padded by kernel − 1, less the padding of the inputs.
        """
        reach = self.kernel - 1
        return Window(self.outputs, self.kernel, 1, reach - self.before, reach - self.after, self.size)

    @cached_property
    def inside(self) -> slice:
        """The axis without its padding."""
        return slice(self.before, self.before + self.size)

    def tap(self, j: int) -> slice:
        """What the kernel's element j sees: one input for each output."""
        return slice(j, j + (self.outputs - 1) * self.stride + 1, self.stride)

    @cached_property
    def taps(self) -> list[NDArray[np.intp]]:
        """For each element of the kernel, the index of the input that it sees, for each output: (outputs,) each."""
        return [np.arange(self.padded)[self.tap(j)] for j in range(self.kernel)]

    @cached_property
    def output_of_input(self) -> NDArray[np.intp]:
        """The output that sees each input, where windows lie side by side, (outputs·kernel,)."""
        return np.arange(self.outputs).repeat(self.kernel)

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """How many of the inputs that each output sees are not padding, (outputs,)."""
        first = np.arange(self.outputs) * self.stride - self.before
        return np.minimum(first + self.kernel, self.size) - np.maximum(first, 0)


def windows(kind: str, input_shape: Shape, kernel: Any, stride: Any, padding: Any) -> tuple[Window, Window]:
    """From a layer's options to the windows along its rows and its columns.

    Args:
        kind: The layer, named in errors.
        input_shape: (H, W, C).
        kernel: One size for both axes, or [height, width].
        stride: Likewise.
        padding: "valid" or "same".

    Raises:
        ArchitectureError: An impossible value, or a kernel that does not fit.
    """
    if len(input_shape) != 3:
        raise ArchitectureError(
            f"{kind}: input of shape {input_shape}, expected (height, width, channels); "
            "pictures of one color have one channel, e.g. input_shape = [28, 28, 1]"
        )
    if padding not in PADDINGS:
        raise ArchitectureError(f"{kind}: unknown padding {padding!r}; known: {', '.join(PADDINGS)}")
    kernels, strides = pair(kind, "kernel", kernel), pair(kind, "stride", stride)
    if padding == "same":
        rows, columns = map(Window.same, input_shape[:2], kernels, strides)
        return rows, columns
    if kernels[0] > input_shape[0] or kernels[1] > input_shape[1]:
        raise ArchitectureError(
            f"{kind}: a kernel of {kernels[0]}×{kernels[1]} does not fit into {input_shape[0]}×{input_shape[1]}; "
            'take a smaller one, or padding = "same"'
        )
    rows, columns = map(Window.valid, input_shape[:2], kernels, strides)
    return rows, columns


def pair(kind: str, option: str, value: Any) -> tuple[int, int]:
    """One whole number for both axes, or one for each.

    Raises:
        ArchitectureError: The value is neither.
    """
    both = tuple(value) if isinstance(value, list | tuple) else (value, value)
    if len(both) != 2 or any(not isinstance(v, int) or isinstance(v, bool) or v < 1 for v in both):
        raise ArchitectureError(
            f"{kind}: {option} = {value!r}, expected a whole number of at least 1, or two: [height, width]"
        )
    return both
