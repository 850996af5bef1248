"""The former place of `core.inference.predict`.

The cards of versions that were published before name it: `from core.predictor import load`.
"""

from core.inference.predict import Predictor, load

__all__ = ["Predictor", "load"]
