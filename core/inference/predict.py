"""One loaded version: uint8 images in, probabilities out."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.artifact import weights as weights_file
from core.artifact.manifest import WEIGHTS, Manifest, Rejection
from core.artifact.repository import Repository
from core.data.normalize import Normalizer
from core.digit import PIXELS, SIDE
from core.errors import ArchitectureError, GoldenProbeError, ManifestError, WeightsError
from core.inference.answers import Answers
from core.inference.compiled import MOST_IMAGES, Passes
from core.inference.inside import Inside, stages
from core.kernels.blas import slices_suit
from core.nn.architectures import build
from core.nn.sequential import Sequential


@dataclass(frozen=True, eq=False)
class Saliency:
    """How much each pixel of an image supports a digit.

    Attributes:
        digit: The digit.
        gradient: (28, 28) float32, ∂z/∂p for the digit's logit z and each pixel p, in logits per full range from
            background (0) to ink (255). Positive where more ink would support the digit, negative where it would
            contradict it.
        answers: The version's answers to the image: a single row.
    """

    digit: int
    gradient: NDArray[np.float32]
    answers: Answers


class Predictor:
    """A network with its normalizer, temperature and rejection. Any number of threads may call it at once.

    The network's weights must not change any more: see `core.inference.compiled`.

    Attributes:
        labels: The name of class k, by k.
        temperature: The divisor of the logits in the softmax: see `core.measure.calibration`.
        rejection: When an image is refused; None in a version that takes every image for a digit.
    """

    def __init__(
        self,
        network: Sequential,
        normalizer: Normalizer,
        labels: tuple[str, ...],
        temperature: float = 1.0,
        rejection: Rejection | None = None,
    ) -> None:
        self._network = network
        self._normalizer = normalizer
        self.labels = labels
        self.temperature = temperature
        self.rejection = rejection
        # A layer's scratch serves one call at a time, and so does a compiled pass. After a call they are returned to
        # this pool, for the next call on any thread: a version that one thread has warmed up is warm for all.
        self._idle: list[Passes] = []
        self._sliced = slices_suit()
        self._local = threading.local()  # holds a frozen network for `saliency`, which is rarely called

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The probability of each class for each image: softmax(logits / temperature).

        Args:
            images: (N, 28, 28) or (N, 784), uint8, 0 background to 255 ink.

        Returns:
            (N, K) float32, a new array, for the K labels; each row sums to 1.
        """
        return Answers.of(self.logits(images), self.temperature, None).probabilities

    def answers(self, images: NDArray[np.uint8]) -> Answers:
        """The probability of each class for each image, and whether the image shows a digit at all.

        Args:
            images: (N, 28, 28) or (N, 784), uint8, 0 background to 255 ink.

        Returns:
            The answers to the N images, in new arrays.
        """
        return Answers.of(self.logits(images), self.temperature, self.rejection)

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The outputs of the network's last layer, before temperature and softmax.

        Args:
            images: (N, 28, 28) or (N, 784), uint8, 0 background to 255 ink.

        Returns:
            (N, K) float32, a new array, for the K labels.
        """
        result = np.empty((len(images), len(self.labels)), np.float32)
        passes = self._take_passes()
        for start in range(0, len(images), MOST_IMAGES):
            chunk = images[start : start + MOST_IMAGES]
            compiled = passes.of(len(chunk))
            self._normalizer.apply(chunk.reshape(compiled.x.shape), out=compiled.x)
            result[start : start + MOST_IMAGES] = compiled.forward()
        self._idle.append(passes)
        return result

    def saliency(self, image: NDArray[np.uint8], digit: int | None = None) -> Saliency:
        """Which pixels move the logit of a digit, by backpropagation to the input.

        The gradient of the class score at the image (Simonyan, Vedaldi & Zisserman 2014, §3, eq. 4): to first order,
        z changes by Σ ∂z/∂p Δp. The paper shows its absolute value; times the image, it is how much each pixel has
        contributed (gradient × input: Shrikumar, Greenside & Kundaje 2017, §2). z is the logit and not the
        probability, because the gradient of the probability vanishes where the network is certain. The logit of an
        ensemble is the logarithm of its members' mean probability.

        With x = (p − μ) / s from the normalizer, the chain rule's last line is ∂z/∂p = ∂z/∂x / s.

        Args:
            image: (28, 28) or (784,), uint8, 0 background to 255 ink.
            digit: The class; by default the most probable one.
        """
        network = self._frozen_network()
        x = self._normalizer.apply(image[np.newaxis]).reshape(1, *network.input_shape)
        z = network.forward(x, training=True).copy()  # (1, K)
        chosen = int(z.argmax()) if digit is None else digit
        dz = np.zeros_like(z)
        dz[0, chosen] = 1
        dx = network.backward(dz, need_dx=True)
        assert dx is not None  # noqa: S101 — as requested by need_dx
        gradient = np.multiply(dx.reshape(SIDE, SIDE), 255 / self._normalizer.std, dtype=np.float32)
        return Saliency(chosen, gradient, Answers.of(z, self.temperature, self.rejection))

    def inside(self, image: NDArray[np.uint8], layers: Sequence[Mapping[str, Any]]) -> Inside:
        """What each layer makes of an image.

        Args:
            image: (28, 28) or (784,), uint8, 0 background to 255 ink.
            layers: What the network was built from, as the manifest's architecture lists it.
        """
        network = self._network.replica()  # its scratch is its own: other threads predict meanwhile
        x = self._normalizer.apply(image[np.newaxis]).reshape(1, *network.input_shape)
        found = stages(network, layers, x)
        z = found[-1].output[np.newaxis].copy()  # (1, K)
        return Inside(found, Answers.of(z, self.temperature, self.rejection))

    def _frozen_network(self) -> Sequential:
        """The frozen network of this thread, whose backward pass is that of the network in use.

        It is not a replica, because replicas share their gradients, and a backward pass writes to them.
        """
        try:
            frozen: Sequential = self._local.frozen
        except AttributeError:
            frozen = self._network.with_own_gradients()
            frozen.freeze()
            self._local.frozen = frozen
        return frozen

    def _take_passes(self) -> Passes:
        """Passes that no other call uses; the caller returns them to `_idle`."""
        try:
            return self._idle.pop()  # those used last, whose arrays may still be in the processor's caches
        except IndexError:
            return Passes(self._network.replica(), sliced=self._sliced)


def rebuild(manifest: Manifest, weights: bytes) -> Predictor:
    """Build the predictor that a manifest and its weights describe, and check that it reproduces the golden outputs.

    Args:
        manifest: Describes the network.
        weights: The contents of the safetensors file, whose digest has been checked.

    Raises:
        WeightsError: The weights cannot be read, or do not fit the architecture.
        ManifestError: The architecture is not one from pictures to one number per label, or has another number of
            parameters than the manifest says.
        GoldenProbeError: For the golden inputs, the probabilities differ from those at training time.
    """
    name = f"{manifest.name}/{manifest.version}/{WEIGHTS}"
    state = weights_file.decode(weights, name=name)
    spec = manifest.architecture
    try:
        network = build(spec.input_shape, spec.layers, rng=np.random.default_rng(0))
        network.load_state(state)
    except ArchitectureError as error:
        raise WeightsError(f"{name}: {error}") from error
    if (prod(network.input_shape), network.output_shape) != (PIXELS, (len(manifest.labels),)):
        raise ManifestError(
            f"{manifest.name} {manifest.version}: a network from {network.input_shape} to {network.output_shape}, "
            f"expected from {PIXELS} pixels to one number for each of {len(manifest.labels)} labels"
        )
    if network.vector.value.size != spec.parameter_count:
        raise ManifestError(
            f"{manifest.name} {manifest.version}: a network with {network.vector.value.size:,} parameters, "
            f"the manifest says {spec.parameter_count:,}"
        )
    normalizer = Normalizer(manifest.preprocessing.mean, manifest.preprocessing.std)
    temperature = manifest.calibration.temperature
    predictor = Predictor(network, normalizer, manifest.labels, temperature, manifest.rejection)
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
    """Compare with the golden outputs. This is also the warm-up: the first call allocates scratch and starts BLAS."""
    # NumPy's warnings are off: numbers that overflow end in the error below, which says more.
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        images, expected = manifest.golden.arrays()
        found = predictor.probabilities(images)
    worst = _largest_difference(found, expected)
    if not worst <= manifest.golden.tolerance:
        raise GoldenProbeError(
            f"{manifest.name} {manifest.version}: golden outputs differ by {worst:.2g}, "
            f"allowed {manifest.golden.tolerance:.2g}; this installation computes something else than the trainer"
        )


def _largest_difference(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(np.abs(a - b).max()) if a.shape == b.shape else float("inf")
