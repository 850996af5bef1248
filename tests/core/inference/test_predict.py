from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from core.artifact import weights
from core.artifact.manifest import Architecture, Golden, Manifest, Rejection
from core.artifact.repository import Repository
from core.errors import (
    ArtifactError,
    DamagedVersionError,
    GoldenProbeError,
    ManifestError,
    VersionNotFoundError,
    WeightsError,
)
from core.inference.predict import Predictor, load, rebuild
from core.nn.architectures import build
from core.nn.ensemble import combine
from core.nn.losses import softmax
from core.nn.sequential import Sequential
from tests.core.artifact.builders import (
    FILES,
    LABELS,
    LAYERS,
    NORMALIZER,
    manifest_of,
    publish,
    some_images,
    tiny_network,
)
from tests.floats import assert_same_bits, assert_same_function, close

STATE = tiny_network().state()
MANIFEST = manifest_of(tiny_network(), files=FILES)
ALWAYS_SURE = Rejection(scale=1.0, offset=0.0, threshold=1e-6)


@pytest.fixture
def predictor() -> Predictor:
    return Predictor(tiny_network(), NORMALIZER, LABELS)


# probabilities


def test_probabilities_are_those_of_normalizing_and_applying_the_network(predictor: Predictor) -> None:
    images = some_images(20)
    x = ((images.reshape(20, 784) - np.float64(NORMALIZER.mean)) / NORMALIZER.std).astype(np.float32)
    expected = softmax(tiny_network().forward(x))
    found = predictor.probabilities(images)
    assert found.shape == (20, 10)
    assert found.dtype == np.float32
    assert_same_function(found, expected, terms=784, scale=1.0)
    assert_same_function(found.sum(axis=1), 1, terms=10)


def test_flat_and_square_images_are_the_same(predictor: Predictor) -> None:
    images = some_images(5)
    np.testing.assert_array_equal(predictor.probabilities(images), predictor.probabilities(images.reshape(5, 784)))


def test_no_images_have_no_probabilities(predictor: Predictor) -> None:
    assert predictor.probabilities(some_images(0)).shape == (0, 10)
    assert predictor.probabilities(np.empty((0, 784), np.uint8)).shape == (0, 10)


def test_an_ensemble_of_combined_networks_gives_their_mean_probabilities() -> None:
    members = [tiny_network(seed) for seed in (1, 2, 3)]
    layers = ({"kind": "ensemble", "members": [LAYERS] * 3},)
    network, state = build((784,), layers, rng=np.random.default_rng(0)), combine([m.state() for m in members])
    network.load_state(state)
    spec = Architecture(input_shape=(784,), layers=layers, parameter_count=network.vector.value.size)
    manifest = manifest_of(network, files=FILES, architecture=spec)
    loaded = rebuild(Manifest.decode(manifest.encode(), name="manifest"), weights.encode(state))
    alone = [Predictor(member, NORMALIZER, LABELS).probabilities(some_images(20)) for member in members]
    assert_same_function(loaded.probabilities(some_images(20)), np.mean(alone, axis=0), terms=784, scale=1.0)


@pytest.mark.parametrize("count", [1, 2, 1023, 1024, 1025, 2500])
def test_an_images_probabilities_do_not_depend_on_its_batch(predictor: Predictor, count: int) -> None:
    images = some_images(count)
    found = predictor.probabilities(images)
    assert found.shape == (count, 10)
    for n in {0, count // 2, count - 1}:
        assert_same_function(found[n : n + 1], predictor.probabilities(images[n : n + 1]), terms=784)


def test_returned_probabilities_are_not_overwritten_by_the_next_call(predictor: Predictor) -> None:
    first = predictor.probabilities(some_images(4))
    kept = first.copy()
    predictor.probabilities(some_images(4, seed=1))
    np.testing.assert_array_equal(first, kept)


def test_images_may_be_read_only_or_strided_and_are_left_unchanged(predictor: Predictor) -> None:
    images = some_images(8)
    images.flags.writeable = False
    np.testing.assert_array_equal(predictor.probabilities(images[::2]), predictor.probabilities(images[::2].copy()))
    np.testing.assert_array_equal(images, some_images(8))


def test_eight_threads_get_exactly_the_probabilities_of_one(predictor: Predictor) -> None:
    batches = [some_images(count, seed=count) for count in (1, 5, 32, 64, 2, 17, 100, 3)]
    expected = [predictor.probabilities(images) for images in batches]
    start = Barrier(8)

    def work(first: int) -> bool:
        start.wait()
        order = [(first + k) % len(batches) for k in range(15 * len(batches))]
        return all(np.array_equal(predictor.probabilities(batches[k]), expected[k]) for k in order)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


# temperature


def test_probabilities_are_the_softmax_of_the_logits_over_the_temperature() -> None:
    images = some_images(6)
    for temperature in (0.5, 1.0, 3.0):
        predictor = Predictor(tiny_network(), NORMALIZER, LABELS, temperature)
        found = predictor.probabilities(images)
        assert_same_function(found, softmax(predictor.logits(images) / temperature), terms=16, scale=1.0)
        assert found.dtype == np.float32


def test_a_temperature_changes_confidence_and_not_the_predicted_digit(predictor: Predictor) -> None:
    images = some_images(50)
    tempered = Predictor(tiny_network(), NORMALIZER, LABELS, 2.0).probabilities(images)
    plain = predictor.probabilities(images)
    np.testing.assert_array_equal(tempered.argmax(axis=1), plain.argmax(axis=1))
    assert (tempered.max(axis=1) < plain.max(axis=1)).all()


@pytest.mark.parametrize("count", [0, 1, 1025])
def test_logits_are_those_of_the_network_chunk_by_chunk(predictor: Predictor, count: int) -> None:
    images = some_images(count)
    found = predictor.logits(images)
    assert (found.shape, found.dtype) == ((count, 10), np.float32)
    expected = tiny_network().forward(NORMALIZER.apply(images.reshape(count, 784)))
    assert_same_function(found, expected, terms=784)


def test_returned_logits_are_not_overwritten_by_the_next_call(predictor: Predictor) -> None:
    found = predictor.logits(some_images(4))
    kept = found.copy()
    predictor.probabilities(some_images(4, seed=1))
    np.testing.assert_array_equal(found, kept)


# saliency


def norm_network(shape: tuple[int, ...] = (28, 28, 1)) -> Sequential:
    """Convolution, batch norm with running averages of its own, dropout: what differs in training and in use."""
    layers = [
        *[{"kind": "conv2d", "channels": 2, "kernel": 5, "stride": 3}, {"kind": "batch_norm"}, {"kind": "gelu"}],
        *[{"kind": "flatten"}, {"kind": "dropout", "rate": 0.5}, {"kind": "dense", "units": 10}],
    ]
    network = build(shape, layers, rng=np.random.default_rng(4))
    network.forward(np.random.default_rng(5).normal(1, 2, (64, *shape)).astype(np.float32), training=True)
    return network


def ensemble_network() -> Sequential:
    members = [[{"kind": "dense", "units": 12}, {"kind": "tanh"}, {"kind": "dense", "units": 10}]] * 3
    return build((784,), [{"kind": "ensemble", "members": members}], rng=np.random.default_rng(6))


NETWORKS: dict[str, Callable[[], Sequential]] = {
    "with batch norm and dropout": norm_network,
    "an ensemble": ensemble_network,
}


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("digit", [None, 3])
def test_saliency_is_the_slope_of_the_logit_along_the_pixels(kind: str, digit: int | None) -> None:
    predictor = Predictor(NETWORKS[kind](), NORMALIZER, LABELS, 2.0)
    image = some_images(1)[0]
    found = predictor.saliency(image, digit)
    assert found.digit == (predictor.probabilities(image[np.newaxis]).argmax() if digit is None else digit)
    assert (found.gradient.shape, found.gradient.dtype) == ((28, 28), np.float32)
    # Pixels are whole numbers, so the slope is taken over four of 255 steps, up and down, along random directions.
    rng = np.random.default_rng(8)
    middle = np.clip(image, 4, 251)
    gradient = predictor.saliency(middle, digit).gradient
    chosen = predictor.saliency(middle, digit).digit
    for _ in range(5):
        v = rng.integers(-1, 2, (28, 28)) * 4
        up, down = predictor.logits(np.stack([middle + v, middle - v]).astype(np.uint8))[:, chosen].astype(np.float64)
        assert np.sum(gradient * v) / 255 == close(
            (up - down) / 2, rel=0.05, abs=2e-3, why="a slope over steps of four gray levels"
        )


def test_saliency_includes_the_probabilities_of_the_predictor(predictor: Predictor) -> None:
    image = some_images(1)[0]
    expected = predictor.probabilities(image[np.newaxis])[0]
    assert_same_function(predictor.saliency(image).answers.probabilities[0], expected, terms=784)
    np.testing.assert_array_equal(predictor.saliency(image.ravel()).gradient, predictor.saliency(image).gradient)


def test_threads_computing_saliency_and_probabilities_do_not_interfere() -> None:
    predictor = Predictor(norm_network(), NORMALIZER, LABELS)
    images = some_images(8)
    probabilities = predictor.probabilities(images)
    maps = [predictor.saliency(image).gradient for image in images]
    start = Barrier(4)

    def work(number: int) -> bool:
        start.wait()
        if number % 2:
            return all(np.array_equal(predictor.probabilities(images), probabilities) for _ in range(50))
        found = [predictor.saliency(images[k % 8]).gradient for k in range(100)]
        return all(np.array_equal(gradient, maps[k % 8]) for k, gradient in enumerate(found))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))


# rebuilding


def test_a_loaded_version_computes_the_same_as_the_published_network(tmp_path: Path) -> None:
    repository = Repository(str(tmp_path), writable=True)
    published = [publish(repository, seed) for seed in range(2)]
    for seed, manifest in enumerate(published):
        predictor, found = load(Repository(str(tmp_path)), manifest.version)
        assert found == manifest
        assert predictor.labels == LABELS
        direct = Predictor(tiny_network(seed), NORMALIZER, LABELS)
        images = some_images(50, seed=9)
        np.testing.assert_array_equal(predictor.probabilities(images), direct.probabilities(images))


def test_a_missing_version_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(VersionNotFoundError, match="no version 1"):
        load(Repository(str(tmp_path)), 1)


def renamed(state: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("2.dense", "1.dense"): array for name, array in state.items()}


UNFIT: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "nothing": lambda state: {},
    "a layer is missing": lambda state: {name: array for name, array in state.items() if name[0] == "0"},
    "a layer too many": lambda state: state | {"4.dense.W": np.zeros((1, 1), np.float32)},
    "other names": renamed,
    "another width": lambda state: state | {"2.dense.b": np.zeros(11, np.float32)},
    "transposed": lambda state: state | {"0.dense.W": state["0.dense.W"].T},
    "flat": lambda state: state | {"0.dense.W": state["0.dense.W"].ravel()},
}


@pytest.mark.parametrize("case", UNFIT)
def test_weights_that_do_not_fit_the_architecture_are_refused(case: str) -> None:
    with pytest.raises(WeightsError, match=r"^mnist/1/weights\.safetensors: "):
        rebuild(MANIFEST, weights.encode(UNFIT[case](STATE)))


def test_bytes_that_are_not_a_weights_file_are_refused() -> None:
    with pytest.raises(WeightsError, match=r"^mnist/1/weights\.safetensors: not a whole safetensors file"):
        rebuild(MANIFEST, b"?" * 100)


def changed(part: str, **fields: Any) -> Manifest:
    return MANIFEST.model_copy(update={part: getattr(MANIFEST, part).model_copy(update=fields)})


@pytest.mark.parametrize(
    "layers",
    [
        (),
        ({"kind": "quantum"},),
        ({"units": 3},),
        ({"kind": "dense", "units": 10**15},),
        ({"kind": "dense", "units": -1},),
        ({"kind": "dense", "units": "many"},),
        ({"kind": "dense", "units": 8, "rng": 1},),
        ({"kind": ["dense"]},),
    ],
)
def test_an_architecture_that_cannot_be_built_is_refused(layers: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(WeightsError):
        rebuild(changed("architecture", layers=layers), weights.encode(STATE))


@pytest.mark.parametrize("shape", [(), (0,), (-784,), (28, 28), (785,)])
def test_an_input_shape_that_fits_neither_weights_nor_pictures_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DamagedVersionError):
        rebuild(changed("architecture", input_shape=shape), weights.encode(STATE))


def test_a_network_that_does_not_take_pictures_is_refused() -> None:
    layers = ({"kind": "dense", "units": 10},)
    state = {"0.dense.W": np.ones((100, 10), np.float32), "0.dense.b": np.ones(10, np.float32)}
    manifest = changed("architecture", input_shape=(100,), layers=layers)
    with pytest.raises(ManifestError, match=r"from \(100,\) to \(10,\), expected from 784 pixels"):
        rebuild(manifest, weights.encode(state))


@pytest.mark.parametrize("labels", [(), LABELS[:9], (*LABELS, "ten")])
def test_labels_that_are_not_as_many_as_the_outputs_are_refused(labels: tuple[str, ...]) -> None:
    with pytest.raises(ManifestError, match=f"one number for each of {len(labels)} labels"):
        rebuild(MANIFEST.model_copy(update={"labels": labels}), weights.encode(STATE))


# the golden probe


def nudged(by: float) -> bytes:
    network = tiny_network()
    network.vector.value += np.float32(by)
    return weights.encode(network.state())


def test_the_right_weights_pass_the_golden_probe() -> None:
    rebuild(MANIFEST, weights.encode(STATE))
    rebuild(MANIFEST, nudged(1e-9))  # another machine may round otherwise


@pytest.mark.parametrize("by", [1e-2, 1.0])
def test_other_weights_of_the_right_shape_fail_the_golden_probe(by: float) -> None:
    with pytest.raises(GoldenProbeError, match=r"mnist 1: golden outputs differ by .*, allowed 0\.0001"):
        rebuild(MANIFEST, nudged(by))


def test_weights_with_nan_outputs_fail_the_golden_probe_without_a_warning() -> None:
    state = {name: np.full_like(array, 3e38) for name, array in STATE.items()}
    with pytest.raises(GoldenProbeError, match="differ by nan"):
        rebuild(MANIFEST, weights.encode(state))


@pytest.mark.parametrize("preprocessing", [{"mean": 0.0}, {"std": 255.0}, {"std": 1e-300}, {"mean": 1e300}])
def test_a_different_normalization_fails_the_golden_probe(preprocessing: dict[str, float]) -> None:
    with pytest.raises(GoldenProbeError):
        rebuild(changed("preprocessing", **preprocessing), weights.encode(STATE))


@pytest.mark.parametrize("temperature", [0.5, 2.0, 1e-300, 1e300])
def test_a_different_temperature_fails_the_golden_probe(temperature: float) -> None:
    with pytest.raises(GoldenProbeError):
        rebuild(changed("calibration", temperature=temperature), weights.encode(STATE))


def test_a_version_is_rebuilt_with_its_own_temperature() -> None:
    images, _ = MANIFEST.golden.arrays()
    expected = Predictor(tiny_network(), NORMALIZER, LABELS, 2.5).probabilities(images)
    golden = Golden(images=MANIFEST.golden.images, probabilities=tuple(map(tuple, expected.tolist())))
    manifest = changed("calibration", temperature=2.5).model_copy(update={"golden": golden})
    rebuilt = rebuild(manifest, weights.encode(STATE))
    assert rebuilt.temperature == 2.5
    np.testing.assert_array_equal(rebuilt.probabilities(images), expected)


def test_a_version_is_rebuilt_with_its_own_rejection() -> None:
    images, _ = MANIFEST.golden.arrays()
    digitness = np.sort(Predictor(tiny_network(), NORMALIZER, LABELS, 1.0, ALWAYS_SURE).answers(images).digitness)
    rejection = ALWAYS_SURE.model_copy(update={"threshold": float(digitness[1])})
    rebuilt = rebuild(MANIFEST.model_copy(update={"rejection": rejection}), weights.encode(STATE))
    found = rebuilt.answers(images)
    assert_same_bits(np.sort(found.digitness), digitness)
    assert found.rejected.sum() == 1
    assert_same_bits(found.probabilities, rebuilt.probabilities(images))
    assert not rebuild(MANIFEST, weights.encode(STATE)).answers(images).rejected.any()


def test_golden_outputs_with_another_class_count_fail_the_probe() -> None:
    golden = Golden(images=some_images(1).tobytes(), probabilities=((0.5, 0.5),))
    with pytest.raises(GoldenProbeError, match="differ by inf"):
        rebuild(MANIFEST.model_copy(update={"golden": golden}), weights.encode(STATE))


def test_all_errors_of_loading_a_version_are_artifact_errors() -> None:
    for error in (WeightsError, ManifestError, GoldenProbeError, VersionNotFoundError):
        assert issubclass(error, ArtifactError)
