from typing import Any

import pytest

from core.errors import ArchitectureError
from core.kernels.window import Window, windows


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "outputs"), [(28, 5, 1, 24), (28, 28, 1, 1), (7, 2, 2, 3), (8, 3, 2, 3), (5, 1, 3, 2)]
)
def test_a_valid_window_stays_inside_the_picture(size: int, kernel: int, stride: int, outputs: int) -> None:
    window = Window.valid(size, kernel, stride)
    assert (window.outputs, window.before, window.after, window.padded) == (outputs, 0, 0, size)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "outputs", "before", "after"),
    [
        (28, 3, 1, 28, 1, 1),
        (28, 5, 1, 28, 2, 2),
        (28, 4, 1, 28, 1, 2),  # the odd one goes to the end
        (28, 2, 2, 14, 0, 0),
        (7, 2, 2, 4, 0, 1),
        (7, 3, 2, 4, 1, 1),
        (2, 5, 1, 2, 2, 2),  # a kernel larger than the picture
        (5, 1, 3, 2, 0, 0),
    ],
)
def test_a_same_window_has_an_output_for_each_stride(
    size: int, kernel: int, stride: int, outputs: int, before: int, after: int
) -> None:
    window = Window.same(size, kernel, stride)
    assert (window.outputs, window.before, window.after) == (outputs, before, after)


@pytest.mark.parametrize("make", [Window.valid, Window.same])
@pytest.mark.parametrize(("size", "kernel", "stride"), [(9, 3, 1), (9, 4, 2), (10, 3, 3), (6, 2, 5)])
def test_each_tap_sees_one_input_for_each_output(make: Any, size: int, kernel: int, stride: int) -> None:
    window = make(size, kernel, stride)
    for j in range(kernel):
        assert list(range(window.padded))[window.tap(j)] == [o * stride + j for o in range(window.outputs)]
    assert window.left_over == window.padded - 1 - (window.outputs - 1) * stride - (kernel - 1)


@pytest.mark.parametrize("make", [Window.valid, Window.same])
@pytest.mark.parametrize(("size", "kernel"), [(9, 1), (9, 3), (9, 4), (4, 4)])
def test_a_mirrored_window_sees_from_each_input_the_outputs_that_saw_it(make: Any, size: int, kernel: int) -> None:
    window = make(size, kernel, 1)
    back = window.mirrored
    assert back.outputs == size
    for u in range(size):
        saw_it = {o for o in range(window.outputs) if 0 <= u + window.before - o < kernel}
        sees = {u + j - back.before for j in range(kernel)} & set(range(window.outputs))
        assert sees == saw_it


@pytest.mark.parametrize(
    ("shape", "kernel", "stride", "padding", "message"),
    [
        ((784,), 3, 1, "valid", r"input of shape \(784,\), expected \(height, width, channels\).*\[28, 28, 1\]"),
        ((28, 28), 3, 1, "valid", r"input of shape \(28, 28\)"),
        ((28, 28, 1), 29, 1, "valid", "a kernel of 29×29 does not fit into 28×28"),
        ((28, 4, 1), [3, 5], 1, "valid", "a kernel of 3×5 does not fit into 28×4"),
        ((28, 28, 1), 0, 1, "valid", "kernel = 0, expected a whole number of at least 1"),
        ((28, 28, 1), [3], 1, "valid", r"kernel = \[3\]"),
        ((28, 28, 1), [3, 3, 3], 1, "valid", "kernel = "),
        ((28, 28, 1), 2.0, 1, "valid", "kernel = 2.0"),
        ((28, 28, 1), True, 1, "valid", "kernel = True"),
        ((28, 28, 1), "3", 1, "valid", "kernel = '3'"),
        ((28, 28, 1), None, 1, "valid", "kernel = None"),
        ((28, 28, 1), 3, [1, 0], "valid", r"stride = \[1, 0\]"),
        ((28, 28, 1), 3, 1, "full", "unknown padding 'full'; known: valid, same"),
        ((28, 28, 1), 3, 1, ["same"], "unknown padding"),
    ],
)
def test_an_impossible_window_is_refused(shape: Any, kernel: Any, stride: Any, padding: Any, message: str) -> None:
    with pytest.raises(ArchitectureError, match=f"conv2d: .*{message}"):
        windows("conv2d", shape, kernel, stride, padding)
