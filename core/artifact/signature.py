"""The inputs and outputs of a version, as its manifest and the service describe them."""

from typing import Annotated, Literal, Self

from pydantic import Field

from core.artifact.fields import Part
from core.artifact.measured import Rejection
from core.digit import LABELS, PIXELS

__all__ = ["Signature", "TensorSpec"]

_Axis = Annotated[int, Field(ge=-1, le=2**31 - 1)]


class TensorSpec(Part):
    """One input or output of the model, in the terms of the Open Inference Protocol; −1 is the batch axis."""

    name: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    datatype: Literal["UINT8", "FP32", "INT64", "BOOL"]
    shape: tuple[_Axis, ...] = Field(max_length=4)


class Signature(Part):
    """The inputs and outputs of the model."""

    inputs: tuple[TensorSpec, ...] = (TensorSpec(name="image", datatype="UINT8", shape=(-1, PIXELS)),)
    outputs: tuple[TensorSpec, ...] = (
        TensorSpec(name="probabilities", datatype="FP32", shape=(-1, len(LABELS))),
        TensorSpec(name="digit", datatype="INT64", shape=(-1,)),
    )

    @classmethod
    def of(cls, rejection: Rejection | None) -> Self:
        """That of a version with this rejection, whose outputs also say whether there is a digit."""
        plain = cls()
        if rejection is None:
            return plain
        digitness = TensorSpec(name="digitness", datatype="FP32", shape=(-1,))
        rejected = TensorSpec(name="rejected", datatype="BOOL", shape=(-1,))
        return cls(outputs=(*plain.outputs, digitness, rejected))
