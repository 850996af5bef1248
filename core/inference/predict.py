"""One loaded version: uint8 images in, probabilities out."""

import threading
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.artifact import weights as weights_file
from core.artifact.manifest import WEIGHTS, Manifest
from core.artifact.repository import Repository
from core.data.normalize import Normalizer
from core.errors import ArchitectureError, GoldenProbeError, ManifestError, WeightsError
from core.inference.compiled import Compiled
from core.kernels import aligned
from core.kernels.blas import slices_suit
from core.nn.architectures import build
from core.nn.losses import softmax
from core.nn.sequential import Sequential

_CHUNK = 64
"""Images in one forward pass. More are no faster, and take memory."""

_PIXELS = 28 * 28
"""Numbers in one image."""


@dataclass(frozen=True, eq=False)
class Saliency:
    """How much each pixel of an image speaks for a digit.

    Attributes:
        digit: The digit.
        gradient: (28, 28) float32, ∂z/∂p for the digit's logit z and each pixel p, in logits for the whole way from
            background (0) to ink (255). Positive where more ink would speak for the digit, negative where against it.
        probabilities: (K,) float32, how probable each class is for the same image.
    """

    digit: int
    gradient: NDArray[np.float32]
    probabilities: NDArray[np.float32]


class Predictor:
    """A network with its normalizer and its temperature. Any number of threads may call it at once.

    The network's weights must not change any more: see `core.inference.compiled`.

    Attributes:
        labels: What class k is called, by k.
        temperature: What the logits are divided by before they become probabilities: see `core.measure.calibration`.
    """

    def __init__(
        self, network: Sequential, normalizer: Normalizer, labels: tuple[str, ...], temperature: float = 1.0
    ) -> None:
        self._network = network
        self._normalizer = normalizer
        self.labels = labels
        self.temperature = temperature
        # A layer's scratch belongs to one call at a time, and so does a compiled pass. What a call has used lies here
        # for the next one, of whatever thread: so a version that was warmed by one thread is warm for all of them.
        self._idle: list[_Passes] = []
        self._sliced = slices_suit()
        self._local = threading.local()  # for saliency, which is rare

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """How probable each class is for each image: softmax(logits / temperature).

        Args:
            images: (N, 28, 28) or (N, 784), uint8, 0 background to 255 ink.

        Returns:
            (N, K) float32, an own array, for the K labels; each row sums to 1.
        """
        z = self.logits(images)
        z /= self.temperature
        return softmax(z, out=z)

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the network's last layer says, before temperature and softmax.

        Args:
            images: (N, 28, 28) or (N, 784), uint8, 0 background to 255 ink.

        Returns:
            (N, K) float32, an own array, for the K labels.
        """
        result = np.empty((len(images), len(self.labels)), np.float32)
        passes = self._taken()
        for start in range(0, len(images), _CHUNK):
            chunk = images[start : start + _CHUNK]
            compiled = passes.of(len(chunk))
            self._normalizer.apply(chunk.reshape(compiled.x.shape), out=compiled.x)
            result[start : start + _CHUNK] = compiled.forward()
        self._idle.append(passes)
        return result

    def saliency(self, image: NDArray[np.uint8], digit: int | None = None) -> Saliency:
        """Which pixels move the logit of a digit, by backpropagation to the input.

        The gradient of the class score at the image (Simonyan, Vedaldi & Zisserman 2014, §3, eq. 4): to first order,
        z changes by Σ ∂z/∂p Δp. The paper shows its absolute value; times the image, it is how much each pixel has
        contributed (gradient × input: Shrikumar, Greenside & Kundaje 2017, §2). z is the logit and not the
        probability, whose gradient vanishes where the network is sure. An ensemble's logit is the logarithm of the
        mean of its members' probabilities.

        With x = (p − μ) / s from the normalizer, the chain rule's last line is ∂z/∂p = ∂z/∂x / s.

        Args:
            image: (28, 28) or (784,), uint8, 0 background to 255 ink.
            digit: The class; by default the most probable one.
        """
        network = self._frozen_twin()
        x = self._normalizer.apply(image[np.newaxis]).reshape(1, *network.input_shape)
        z = network.forward(x, training=True).copy()  # (1, K)
        chosen = int(z.argmax()) if digit is None else digit
        dz = np.zeros_like(z)
        dz[0, chosen] = 1
        dx = network.backward(dz, need_dx=True)
        assert dx is not None  # noqa: S101 — it was asked for
        gradient = np.multiply(dx.reshape(28, 28), 255 / self._normalizer.std, dtype=np.float32)
        return Saliency(chosen, gradient, softmax(z / self.temperature)[0])

    def _frozen_twin(self) -> Sequential:
        """A network of this thread's own whose backward pass is that of the network in use.

        Not a replica: the replicas share their gradients, and a backward pass writes to them.
        """
        try:
            twin: Sequential = self._local.frozen
        except AttributeError:
            twin = self._network.with_own_gradients()
            twin.freeze()
            self._local.frozen = twin
        return twin

    def _taken(self) -> "_Passes":
        """Passes that nobody else uses; the call lays them back."""
        try:
            return self._idle.pop()  # the one that was used last, whose arrays may still be in the caches
        except IndexError:
            return _Passes(self._network.replica(), sliced=self._sliced)


class _Passes:
    """The forward passes of one replica, by batch size."""

    def __init__(self, network: Sequential, *, sliced: bool) -> None:
        self._network, self._sliced = network, sliced
        self._whole = Compiled(network, aligned.empty((_CHUNK, *network.input_shape), np.float32), sliced=sliced)
        self._by_size = {_CHUNK: self._whole}

    def of(self, count: int) -> Compiled:
        """The forward pass for so many images."""
        if count not in self._by_size:
            self._by_size[count] = Compiled(self._network, self._whole.x[:count], sliced=self._sliced)
        return self._by_size[count]


def rebuild(manifest: Manifest, weights: bytes) -> Predictor:
    """Make the predictor that a manifest and its weights describe, and prove that it computes the same.

    Args:
        manifest: What to build.
        weights: The safetensors file, its digest already checked.

    Raises:
        WeightsError: The weights cannot be read, or do not fit the architecture.
        ManifestError: The architecture does not take a picture and give one number a label, or the golden pair is odd.
        GoldenProbeError: The golden inputs give other probabilities than they gave to the trainer.
    """
    name = f"{manifest.name}/{manifest.version}/{WEIGHTS}"
    state = weights_file.decode(weights, name=name)
    spec = manifest.architecture
    try:
        network = build(spec.input_shape, spec.layers, rng=np.random.default_rng(0))
        network.load_state(state)
    except ArchitectureError as error:
        raise WeightsError(f"{name}: {error}") from error
    if (prod(network.input_shape), network.output_shape) != (_PIXELS, (len(manifest.labels),)):
        raise ManifestError(
            f"{manifest.name} {manifest.version}: a network from {network.input_shape} to {network.output_shape}, "
            f"expected from {_PIXELS} pixels to one number for each of {len(manifest.labels)} labels"
        )
    normalizer = Normalizer(manifest.preprocessing.mean, manifest.preprocessing.std)
    predictor = Predictor(network, normalizer, manifest.labels, manifest.calibration.temperature)
    _probe(predictor, manifest)
    return predictor


def load(repository: Repository, version: int) -> tuple[Predictor, Manifest]:
    """Read, verify and rebuild one version.

    Raises:
        ArtifactError: The version is missing or damaged, or does not reproduce its golden outputs.
    """
    manifest = repository.manifest(version)
    return rebuild(manifest, repository.read(manifest)), manifest


def _probe(predictor: Predictor, manifest: Manifest) -> None:
    """Also the warm-up: the first call pays for scratch arrays and BLAS start-up."""
    with np.errstate(
        divide="ignore", over="ignore", invalid="ignore"
    ):  # it ends in the error below, which says more than a warning
        images, expected = manifest.golden.arrays()
        found = predictor.probabilities(images)
    worst = _largest_difference(found, expected)
    if not worst <= manifest.golden.tolerance:
        raise GoldenProbeError(
            f"{manifest.name} {manifest.version}: golden outputs differ by {worst:.2g}, "
            f"allowed {manifest.golden.tolerance:.2g}; it computes something else here than where it was trained"
        )


def _largest_difference(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(np.abs(a - b).max()) if a.shape == b.shape else float("inf")
