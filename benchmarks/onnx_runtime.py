"""ONNX Runtime's side: our weights as an ONNX model, on one thread."""

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from benchmarks.cases import Case
from benchmarks.channels_first import channels_first
from benchmarks.contender import Contender
from benchmarks.digits import training_digits
from core.nn.sequential import Sequential

OPSET, IR = 17, 8  # supported by every version of ONNX Runtime that pyproject.toml allows

OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "dense": ("Gemm", {}),
    "conv2d": ("Conv", {}),
    "relu": ("Relu", {}),
    "maxpool2d": ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
    "flatten": ("Flatten", {}),
}


class OnnxInference(Contender):
    """A step: one `run`, from a NumPy array of normalized images to logits."""

    def __init__(self, case: Case) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        images, _ = training_digits()
        self.x = images[: case.batch_size]
        if len(case.input_shape) == 3:
            self.x = self.x.reshape(-1, 1, *case.input_shape[:2])
        model = _model(case.network(), self.x.shape)
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def begin(self) -> None:
        """Nothing changes from step to step."""

    def step(self) -> int:
        """One forward pass; returns the batch size."""
        return len(self._logits())

    def evidence(self) -> NDArray[np.floating[Any]]:
        """The logits."""
        return self._logits()

    def _logits(self) -> NDArray[np.float32]:
        (logits,) = self.session.run(None, {"x0": self.x})
        return np.asarray(logits)


def _model(network: Sequential, input_shape: tuple[int, ...]) -> bytes:
    """The network as a serialized ONNX model, for batches of this one size."""
    nodes, initializers, last = [], [], 0
    for last, (layer, arrays) in enumerate(channels_first(network), start=1):
        operator, attributes = OPERATORS[layer.kind]
        initializers += [numpy_helper.from_array(array, f"{name}{last}") for name, array in arrays.items()]
        inputs = [f"x{last - 1}", *(f"{name}{last}" for name in arrays)]
        nodes.append(helper.make_node(operator, inputs, [f"x{last}"], **attributes))
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x0", TensorProto.FLOAT, input_shape)],
        [helper.make_tensor_value_info(f"x{last}", TensorProto.FLOAT, (input_shape[0], *network.output_shape))],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    serialized: bytes = model.SerializeToString()
    return serialized
