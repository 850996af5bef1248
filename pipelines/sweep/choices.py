"""What a sweep may be asked for by name; without Optuna, so that `--help` answers at once."""

from typing import Literal

__all__ = ["Objective", "Pruner", "Runner"]

Objective = Literal["loss", "accuracy"]
"""Of the validation images: which is made as low, or as high, as possible."""

Pruner = Literal["median", "hyperband", "none"]
"""What ends trials early that promise little."""

Runner = Literal["local", "dask"]
"""Where workers are: processes of this machine, or those of a Dask cluster."""
