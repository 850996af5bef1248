"""examples/look_inside.ipynb: it runs, and what is kept in it is what its cells print and draw now."""

import importlib.util
import json

import pytest

from tests.docs.pages import ROOT

for needed in ("ipykernel", "nbclient"):
    pytest.importorskip(needed, reason="needs the extra notebook")

MOST_BYTES = 60_000


@pytest.fixture(scope="module")
def notebook():
    """tools/docs/notebook.py."""
    spec = importlib.util.spec_from_file_location("notebook", ROOT / "tools/docs/notebook.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def texts(cells):
    return ["".join(output["text"]) for cell in cells for output in cell.get("outputs", ()) if "text" in output]


def pictures(cells):
    return [set(output["data"]) for cell in cells for output in cell.get("outputs", ()) if "data" in output]


def test_every_cell_runs_and_prints_what_is_kept(notebook):
    kept, now = notebook.read(), notebook.run(notebook.read())
    assert texts(now.cells) == texts(kept.cells), "run tools/docs/notebook.py"
    assert pictures(now.cells) == pictures(kept.cells) == [{"image/png"}] * 3


def test_what_is_kept_is_small_and_tells_nothing_of_the_machine_on_which_it_ran(notebook):
    text = notebook.NOTEBOOK.read_text("utf-8")
    kept = json.loads(text)
    assert len(text) < MOST_BYTES
    assert str(ROOT) not in text
    assert set(kept["metadata"]) == {"kernelspec"}
    assert [cell["metadata"] for cell in kept["cells"]] == [{}] * len(kept["cells"])
