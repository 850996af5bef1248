"""A trained network as the teacher of another: it answers the very batches that the other one trains on."""

from dataclasses import dataclass

from core.data.normalize import Normalizer
from core.errors import ConfigError
from core.kernels.arrays import Array
from core.nn.distillation import Answer, Distillation
from core.nn.loss import Loss
from core.nn.losses import OpenSetCrossEntropy, SoftmaxCrossEntropy
from core.nn.sequential import Sequential


@dataclass(frozen=True)
class Teacher:
    """A network that does not change any more, and how much its answers count; see `core.nn.distillation`.

    It sees each image as it was augmented for the student, so that it says something new of it in every epoch.

    Attributes:
        network: Gives logits for the student's classes.
        normalizer: What the network's inputs were normalized with.
        weight: Of its answers against the labels, from 0 to 1: α.
        temperature: By which both networks' logits are divided: τ.
    """

    network: Sequential
    normalizer: Normalizer
    weight: float
    temperature: float

    def beside(self, loss: Loss, student: Normalizer) -> Distillation:
        """The loss of the labels with this teacher beside it, for use by one thread.

        Args:
            loss: Of the labels.
            student: What the student's inputs are normalized with.

        Raises:
            ConfigError: It is no cross-entropy, or weight or temperature are out of range.
        """
        if not isinstance(loss, SoftmaxCrossEntropy | OpenSetCrossEntropy):
            raise ConfigError(
                f"a teacher beside the loss {type(loss).__name__}: expected softmax_cross_entropy or "
                "open_set_cross_entropy, whose outputs are logits as the teacher's are"
            )
        return Distillation(loss, self._answer(student), weight=self.weight, temperature=self.temperature)

    def _answer(self, student: Normalizer) -> Answer:
        network, mine = self.network.replica(), self.normalizer

        def answer(x: Array) -> Array:
            if student != mine:  # undo the student's normalization: x std + mean is the pixel
                x = (x * student.std + (student.mean - mine.mean)) / mine.std
            return network.forward(x.reshape(-1, *network.input_shape))

        return answer
