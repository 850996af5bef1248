"""The binary tensor data extension: contents that stand behind the JSON as they are."""

from dataclasses import dataclass, field

__all__ = ["ALL_BINARY", "BINARY", "DATA_SIZE", "Binary"]

DATA_SIZE, BINARY, ALL_BINARY = "binary_data_size", "binary_data", "binary_data_output"
"""The parameters of the binary data extension: of an input, of an output, and of a request for all its outputs."""


@dataclass
class Binary:
    """Which outputs are wanted in binary form.

    Attributes:
        every: Whether those are that `names` does not mention.
        names: Whether an output is, by its name.
    """

    every: bool = False
    names: dict[str, bool] = field(default_factory=dict)
