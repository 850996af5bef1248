"""The network as a custom runtime of MLServer: NumPy, in MLServer's own process. Imports nothing of Numeral."""

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Digits(MLModel):  # type: ignore[misc]  # its package may not be installed
    """Two dense layers, with weights from an .npz file."""

    async def load(self) -> bool:
        """Read the weights."""
        self.weights = dict(np.load(self.settings.parameters.uri))
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Probabilities of each digit."""
        w = self.weights
        images = NumpyCodec.decode_input(payload.inputs[0])
        x = (images.reshape(-1, 784) - w["mean"]) / w["std"]
        z = np.maximum(x @ w["W1"] + w["b1"], 0) @ w["W2"] + w["b2"]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        output = NumpyCodec.encode_output("probabilities", (e / e.sum(axis=1, keepdims=True)).astype(np.float32))
        return InferenceResponse(model_name=self.name, outputs=[output])
