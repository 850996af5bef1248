"""A tiny manifest, history and evaluation to make reports from, and a reader of the page that comes out."""

from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np

from core.artifact.manifest import (
    Architecture,
    Calibration,
    FileEntry,
    Golden,
    HeldOutAccuracy,
    Manifest,
    Metrics,
    Preprocessing,
    Rejection,
    RejectionMetrics,
    Robustness,
    Share,
    Signature,
    Verdict,
)
from core.artifact.origin import (
    CodeProvenance,
    DataProvenance,
    Environment,
    NewDataProvenance,
    NewDataSource,
    StylesProvenance,
)
from core.data.labeled import Labeled
from core.digit import NO_DIGIT
from core.measure.evaluate import Evaluation, evaluate
from core.train.report import EpochReport
from pipelines.recipe import load_recipe
from pipelines.report import render_report

VOID = {"meta", "link", "img", "br"}

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 28, 28), np.uint8)
WEIGHTS = RNG.normal(size=(28, 28, 6)).astype(np.float32)
# 40 images, four of each digit, all read right but three: two 4s and a 7, all read as 9.
LABELS = np.repeat(np.arange(10), 4)
PROBABILITIES = np.full((40, 10), 0.01)
PROBABILITIES[np.arange(40), LABELS] = 0.91
for wrong_at, confidence in ((16, 0.99), (17, 0.8), (28, 0.9)):
    PROBABILITIES[wrong_at] = (1 - confidence) / 9
    PROBABILITIES[wrong_at, 9] = confidence
RAW = np.where(PROBABILITIES > 0.5, 0.982, 0.002)  # the same readings, all of them too sure
EVALUATION = evaluate(PROBABILITIES, LABELS, raw=RAW)


class Page(HTMLParser):
    """What a browser would find: every start tag with its attributes, and the text; unbalanced tags are an error."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html.decode())
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text += data

    def words(self) -> str:
        return " ".join(self.text.split())

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] or "" for _, attributes in self.tags if attribute in attributes]


def metrics(evaluation: Evaluation = EVALUATION, **changes: object) -> Metrics:
    return Metrics(**{name: getattr(evaluation, name) for name in Metrics.model_fields} | changes)


def manifest(**changes: object) -> Manifest:
    digest = "0123456789abcdef" * 4
    recipe = load_recipe("mlp", ["model.layers.0.units=6"])
    fields = {
        "name": "mnist",
        "version": 3,
        "created": datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC),
        "fingerprint": digest,
        "files": {"weights.safetensors": FileEntry(sha256=digest, size=19_123)},
        "architecture": Architecture(input_shape=(784,), layers=recipe.model.layers, parameter_count=4780),
        "labels": tuple("0123456789"),
        "preprocessing": Preprocessing(mean=33.3, std=78.5, framing={}),
        "data": DataProvenance(
            files={"train-images-idx3-ubyte": digest},
            train_images=55_000,
            validation_images=5000,
            test_images=40,
            split_seed=17,
            license="CC BY-SA 3.0",
        ),
        "recipe_name": "mlp",
        "recipe": recipe.model_dump(mode="json"),
        "code": CodeProvenance(commit="c0ffee1", dirty=False, sources_sha256=digest),
        "environment": Environment(python="3.11.7", numpy="2.4.6", blas="openblas", cpu="a CPU", threads=1),
        "validation": metrics(accuracy=0.9784, interval=(0.974, 0.9821)),
        "test": metrics(),
        "calibration": Calibration(temperature=1.25),
        "robustness": {
            "noise": Robustness(description="normal noise", count=10, accuracy=0.8, interval=(0.4902, 0.9433)),
            "rain": Robustness(description="drops of rain", count=10, accuracy=0.3, interval=(0.1078, 0.6032)),
        },
        "verdict": Verdict(promote=True, reason="better than before", parent=2),
        "golden": Golden(images=IMAGES[:2].tobytes(), probabilities=PROBABILITIES[:2].tolist()),
    }
    return Manifest.model_validate(fields | changes)


_REJECTION = Rejection(scale=1.5, offset=-2.25, threshold=0.25)

REJECTING = {
    "data": DataProvenance(
        **manifest().data.model_dump(exclude={"styles"}),
        styles=StylesProvenance(digits=7000, others=3, seed=5, sha256="0123456789abcdef" * 4),
    ),
    "rejection": _REJECTION,
    "signature": Signature.of(_REJECTION),
    "rejection_metrics": RejectionMetrics(
        digits=Share(count=10_000, share=0.0012, interval=(0.0007, 0.0021)),
        others=Share(count=2000, share=0.954, interval=(0.9439, 0.9623)),
    ),
}
"""What is different in the manifest of a version that was trained on drawn images, and rejects what is no digit."""

WITH_NEW_DATA = {
    "data": DataProvenance(
        **manifest().data.model_dump(exclude={"new_data"}),
        new_data=NewDataProvenance(
            images=1234,
            sha256="0123456789abcdef" * 4,
            held_out_images=56,
            held_out_sha256="0123456789abcdef" * 4,
            sources=(
                NewDataSource(
                    source="extra /data/<scans>",
                    digits=(0, 1, 2, 3, 4, 5, 6, 7, 8, 1198),
                    held_out=(0,) * 9 + (56,),
                    set_aside=71,
                    known=60,
                    repeated=12,
                    sha256="0123456789abcdef" * 4,
                ),
            ),
        ),
    ),
    "held_out": {"extra /data/<scans>": HeldOutAccuracy(count=56, accuracy=0.875, interval=(0.7639, 0.9382))},
}
"""What is different in the manifest of a version that was trained on new data."""

DRAWN = Labeled(RNG.integers(0, 256, (5, 28, 28), np.uint8), np.array([7, 1, NO_DIGIT, 7, NO_DIGIT], np.uint8))


def epochs(count: int) -> list[EpochReport]:
    return [
        EpochReport(
            epoch=n,
            epochs=count,
            train_loss=1 / n,
            train_accuracy=1 - 0.1 / n,
            validation_loss=1 / n + 0.1 + 0.01 * n,
            validation_accuracy=1 - 0.2 / n,
            learning_rate=0.1 / n,
            seconds=25.0,
            images_per_second=1000.0,
        )
        for n in range(1, count + 1)
    ]


def report(**changes: object) -> bytes:
    arguments = {
        "manifest": manifest(),
        "history": epochs(3),
        "evaluation": EVALUATION,
        "mistake_images": IMAGES,
        "first_layer": WEIGHTS,
    }
    return render_report(**arguments | changes)
