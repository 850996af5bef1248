"""`python tools/docs/notebook.py`: run examples/look_inside.ipynb, and keep what its cells print and draw in it.

Nothing is kept that says when, where or how often it was run, so that it only changes where the results do.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NOTEBOOK = ROOT / "examples/look_inside.ipynb"
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def read() -> NotebookNode:
    """The notebook as it is kept."""
    return nbformat.read(NOTEBOOK, as_version=4)


def run(notebook: NotebookNode) -> NotebookNode:
    """Run all cells, in the folder in which Jupyter would, and leave in each only its text and its pictures.

    Raises:
        CellExecutionError: A cell failed.
    """
    place = {"metadata": {"path": NOTEBOOK.parent}}
    NotebookClient(notebook, timeout=None, startup_timeout=600, record_timing=False, resources=place).execute()
    notebook.metadata = nbformat.from_dict(KERNEL)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                output.data = nbformat.from_dict({"image/png": output.data["image/png"]})
    return notebook


def main() -> int:
    """Run it and write it; the exit status."""
    nbformat.write(run(read()), NOTEBOOK)
    return 0


if __name__ == "__main__":
    sys.exit(main())
