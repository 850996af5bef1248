"""The files that ship with the code are found in a checkout and in a wheel."""

import pytest

from core import shipped as module
from core.shipped import ROOT, shipped, shipped_repository


def test_in_a_checkout_they_lie_beside_the_code():
    assert (shipped("recipes") / "mlp.toml").is_file()
    assert (shipped("data/mnist") / "train-images-idx3-ubyte.gz").is_file()
    assert shipped_repository() == str(ROOT / "pretrained")


def test_in_a_wheel_they_lie_inside_whatever_lies_beside_the_code(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "recipes").mkdir()  # of another project
    (tmp_path / "core/files/recipes").mkdir(parents=True)
    monkeypatch.setattr(module, "INSIDE", tmp_path / "core/files")
    assert shipped("recipes") == tmp_path / "core/files/recipes"


@pytest.mark.parametrize("there", [True, False])
def test_an_image_may_leave_the_trained_version_out(there, tmp_path):
    if there:
        (tmp_path / "mnist").mkdir()
    assert shipped_repository(tmp_path) == (str(tmp_path) if there else None)
