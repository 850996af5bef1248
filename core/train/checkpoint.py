"""A training on disk, so that one that was killed is resumed after its last epoch, and ends with the same bits.

One file:

    numeral training checkpoint 1       the kind of file, and the version of this layout
    <sha256 of all that follows, in hex>
    an .npz: every array by name, and under "plain", as JSON, everything that is not an array

The digest is checked before anything is parsed, and nothing in the file can be code (no pickle). A checkpoint is
written under another name and renamed once it is complete on disk: whatever happens, the last complete one remains.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.durable import write_whole
from core.errors import NumeralError, TrainingError
from core.train.training import Training

_MAGIC = b"numeral training checkpoint 1\n"
_DIGEST = 2 * hashlib.sha256().digest_size
_PLAIN = "plain"


@dataclass(frozen=True)
class Checkpoint:
    """The file of one training.

    Attributes:
        path: Where it is.
        identity: A string that stands for everything that decides the result, e.g. a digest of data, recipe and code. A
            checkpoint with another identity is refused.
    """

    path: Path
    identity: str

    def save(self, training: Training) -> None:
        """Write the training as it is now, replacing the previous checkpoint.

        Raises:
            StorageError: It cannot be written; the previous checkpoint remains.
        """
        arrays, plain = training.state()
        text = json.dumps({"identity": self.identity} | plain).encode()
        buffer = io.BytesIO()
        members: dict[str, Any] = {**arrays, _PLAIN: np.frombuffer(text, np.uint8)}
        np.savez(buffer, **members)
        write_whole(self.path, _MAGIC + _hex(buffer.getvalue()) + b"\n" + buffer.getvalue())

    def load(self, training: Training) -> bool:
        """Bring a training that was just begun to the state of the saved one.

        Returns:
            Whether there was a checkpoint.

        Raises:
            TrainingError: The file is damaged, is no checkpoint, or is one of another training. The given training may
                have been changed in part; begin another one.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise TrainingError(f"{self.path}: cannot be read ({error})") from error
        try:
            arrays = self._unpack(data)
            plain = json.loads(arrays.pop(_PLAIN).tobytes())
            if plain["identity"] != self.identity:
                raise TrainingError(f"it is of the training {plain['identity']}, not of {self.identity}")
            training.load_state(arrays, plain)
        except (NumeralError, KeyError, TypeError, ValueError) as error:
            raise TrainingError(f"checkpoint {self.path}: {error}. Delete it to train from the start") from error
        return True

    def _unpack(self, data: bytes) -> dict[str, NDArray[Any]]:
        if not data.startswith(_MAGIC):
            raise TrainingError(
                f"begins with {data[: len(_MAGIC)]!r}, expected {_MAGIC!r}: no checkpoint, or a damaged one"
            )
        end = len(_MAGIC) + _DIGEST
        digest, body = data[len(_MAGIC) : end], data[end + 1 :]
        if digest != _hex(body):
            raise TrainingError(
                f"sha256 {_hex(body).decode()}, expected {digest.decode(errors='replace')}: it is damaged"
            )
        with np.load(io.BytesIO(body), allow_pickle=False) as file:
            return dict(file)


def _hex(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
