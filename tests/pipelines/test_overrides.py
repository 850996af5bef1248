"""`--set KEY=VALUE`: one value of a recipe replaced, or refused in one sentence that lists what is known."""

from collections.abc import Callable

import pytest

from core.errors import ConfigError
from pipelines.recipe import Recipe, load_recipe


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("train.epochs=5", lambda r: r.train.epochs == 5),
        ("train.learning_rate = 0.25", lambda r: r.train.learning_rate == 0.25),
        ("train.schedule=constant", lambda r: r.train.schedule == "constant"),
        ('train.schedule="constant"', lambda r: r.train.schedule == "constant"),
        ("model.layers.0.units=256", lambda r: r.model.layers[0]["units"] == 256),
        ('model.layers=[{kind="dense", units=10}]', lambda r: len(r.model.layers) == 1),
        ('model.layers.1={kind="dense", units=7}', lambda r: r.model.layers[1]["units"] == 7),
        ("train.optimizer.weight_decay=0.01", lambda r: r.train.optimizer["weight_decay"] == 0.01),
        ("promotion.max_accuracy_drop=0", lambda r: r.promotion.max_accuracy_drop == 0),
    ],
)
def test_an_override_replaces_one_value(override: str, read: Callable[[Recipe], bool]) -> None:
    assert read(load_recipe("mlp", [override]))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.epoch=3", "unknown key train.epoch; known: seed, epochs, batch_size"),
        ("nonsense.key=1", "unknown key nonsense; known: description, data, model, train, promotion"),
        ("train.epochs=many", "train.epochs: .*integer.* found 'many'"),
        ("train.epochs=0", "train.epochs: .*greater than or equal to 1, found 0"),
        ("train.schedule=upwards", "unknown .*'upwards'; known: .*cosine"),
        ("model.layers.0.kind=convolution", "layer 0: unknown kind 'convolution'; known: .*dense"),
        ("model.layers.0.unit=3", "layer 0: dense: unknown option unit; known: units, init"),
        ("model.layers.0.units=0", "layer 0: dense: units = 0, expected at least 1"),
        ("model.layers.9.units=3", "unknown key '9'; known: 0 to 2"),
        ("model.layers.2.units=11", r"the last layer gives \(11,\), expected \(10,\)"),
        ("model.input_shape=[28]", "expected 784 pixels"),
        ("model.layers=[]", "neither layers nor members, expected layers for one network, or members"),
        ('model.members=[[{kind="dense", units=10}]]', "both layers and members"),
        ("train.optimizer.kind=adamant", "unknown kind 'adamant'; known: .*sgd"),
        ("train.optimizer.weight_decay=2", "weight_decay = 2, expected at least 0 and below 1"),
        ("train.epochs.x=1", "nothing below a plain value"),
        ("train.epochs", "expected KEY=VALUE"),
        ("=3", "expected KEY=VALUE"),
    ],
)
def test_an_invalid_override_is_refused_and_the_valid_ones_are_listed(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe("mlp", [override])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.members.1.0.units=-1", "member 1: layer 0: dense: units = -1"),
        ("model.members.1.0.units=11", r"member 1: the last layer gives \(11,\), expected \(10,\)"),
        ("model.members.2.0.units=11", "unknown key '2'; known: 0 to 1"),
    ],
)
def test_an_invalid_layer_of_an_ensemble_is_named_with_its_member(override: str, message: str) -> None:
    two = 'model.members=[[{kind="dense", units=10}], [{kind="dense", units=10}]]'
    with pytest.raises(ConfigError, match=message):
        load_recipe("mlp", ["model.layers=[]", two, override])
