"""The network in Triton's Python backend, started by pytriton: `python triton_model.py WEIGHTS GRPC_PORT`."""

import sys

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

WEIGHTS = dict(np.load(sys.argv[1]))


@batch  # type: ignore[untyped-decorator]  # its package may not be installed
def probabilities(image: np.ndarray) -> list[np.ndarray]:
    """Probabilities of each digit."""
    w = WEIGHTS
    x = (image - w["mean"]) / w["std"]
    z = np.maximum(x @ w["W1"] + w["b1"], 0) @ w["W2"] + w["b2"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return [(e / e.sum(axis=1, keepdims=True)).astype(np.float32)]


port = int(sys.argv[2])
with Triton(config=TritonConfig(grpc_port=port, http_port=port + 1, metrics_port=port + 2)) as triton:
    triton.bind(
        model_name="mnist",
        infer_func=probabilities,
        inputs=[Tensor(name="image", dtype=np.uint8, shape=(784,))],
        outputs=[Tensor(name="probabilities", dtype=np.float32, shape=(10,))],
        config=ModelConfig(max_batch_size=64, batcher=DynamicBatcher()),
    )
    triton.serve()
