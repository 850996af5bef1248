"""Lists what a virtual environment is made of: a CycloneDX document for programs, and a table of licenses for people.

    python tools/bill_of_materials.py NAME ENVIRONMENT

writes sbom.cdx.json and licenses.txt to ENVIRONMENT/share/doc/numeral, with name, version and license of each
distribution. NAME is what is made of them. The same environment gives the same bytes. It needs cyclonedx-bom, and
nothing of this project: the Dockerfile runs it.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path("share/doc/numeral")
DOCUMENT, TABLE = "sbom.cdx.json", "licenses.txt"

ELSEWHERE = {"protobuf": "BSD-3-Clause"}
"""The license of distributions whose metadata name none: they are read from the file that comes with each."""

CLASSIFIER = "License :: OSI Approved :: "


def main(name: str, environment: Path) -> int:
    """Write both files; 1 if the license of a distribution is not known."""
    document = listed(environment / "bin/python")
    document["metadata"]["component"] = {"bom-ref": name, "type": "application", "name": name}
    for component in document["components"]:
        if not component.get("licenses") and component["name"] in ELSEWHERE:
            component["licenses"] = [{"license": {"id": ELSEWHERE[component["name"]]}}]
    rows = [(c["name"], c["version"], license_of(c)) for c in document["components"]]
    if unknown := [f"{name} {version}" for name, version, license_ in rows if not license_]:
        print(
            f"bill_of_materials: no license in the metadata of {', '.join(unknown)}; read the file LICENSE that comes "
            f"with it, and add it to ELSEWHERE in {Path(__file__).name}",
            file=sys.stderr,
        )
        return 1
    folder = environment / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DOCUMENT).write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", "utf-8")
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"{name:{widths[0]}}  {version:{widths[1]}}  {license_}" for name, version, license_ in rows]
    (folder / TABLE).write_text("\n".join(lines) + "\n", "utf-8")
    return 0


def listed(python: Path) -> dict[str, Any]:
    """The distributions of an interpreter's environment, as CycloneDX 1.6."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--spec-version", "1.6"]
    done = subprocess.run([*command, str(python)], check=True, stdout=subprocess.PIPE, text=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def license_of(component: dict[str, Any]) -> str:
    """The license of a component, in one line; "" if none is known."""
    found = component.get("licenses", ())
    names = [entry.get("expression") or entry["license"].get("id") or entry["license"]["name"] for entry in found]
    # Where a distribution says the same twice, in its metadata and as a classifier, the first is the more precise one.
    exact = [name for name in names if not name.startswith(CLASSIFIER)] or names
    return "; ".join(dict.fromkeys(" ".join(name.removeprefix(CLASSIFIER).split()) for name in exact))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
