"""How a version was made, as the report lists it: layers, settings, and the command that reproduces it."""

import shlex

from core.artifact.manifest import Architecture
from pipelines.recipe import load_recipe
from pipelines.report import origin
from tests.pipelines.report.report_inputs import Page, manifest, report


def test_layers_are_listed_with_their_shapes_and_parameters():
    rows = origin.layers(manifest().architecture)
    assert [(row.kind, row.output_shape, row.parameters) for row in rows] == [
        ("dense", (6,), 784 * 6 + 6),
        ("relu", (6,), 0),
        ("dense", (10,), 6 * 10 + 10),
    ]


def test_layers_that_cannot_be_built_here_are_listed_without_shapes():
    architecture = Architecture(input_shape=(784,), layers=({"kind": "crystal", "facets": 8},), parameter_count=1)
    (row,) = origin.layers(architecture)
    assert (row.kind, row.options, row.output_shape, row.parameters) == ("crystal", "facets = 8", None, None)


def test_every_hyper_parameter_is_listed_under_its_dotted_key():
    settings = dict(origin.settings(manifest().recipe))
    assert settings["train.optimizer.weight_decay"] == "0.0003"
    assert settings["model.layers.0.units"] == "6"
    assert settings["model.input_shape"] == "[784]"
    words = Page(report()).words()
    assert all(key in words and value in words for key, value in settings.items())


def test_the_command_that_reproduces_a_version_gives_the_same_recipe():
    unusual = ["train.epochs=2", "train.learning_rate=1e-5", 'model.layers=[{kind = "dense", units = 10}]']
    wanted = load_recipe("mlp", unusual)
    command = origin.retrain_command("mlp", wanted.model_dump(mode="json"))
    program, *arguments = shlex.split(command.replace("\\\n", ""))  # as a shell joins lines
    assert (program, arguments[:5]) == ("python", ["-m", "pipelines", "retrain", "--recipe", "mlp"])
    assert set(arguments[5::2]) == {"--set"}
    assert load_recipe("mlp", arguments[6::2]) == wanted
