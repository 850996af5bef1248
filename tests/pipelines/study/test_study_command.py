"""The command as people run it, in processes of its own: its page, its JSON, and a stop in the middle."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.shipped import ROOT
from tests.pipelines.report.report_inputs import Page

SMALL = ["--images", "200", "--set", "data.validation_images=500"]


def command(folder: Path, *arguments: str) -> list[str]:
    where = ["--data-dir", str(folder), "--mirror", (ROOT / "data" / "mnist").as_uri()]
    return [sys.executable, "-m", "pipelines", "study", *arguments, *where, *SMALL]


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(folder, *arguments), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for all: what one study has trained, the next one finds."""
    return tmp_path_factory.mktemp("studies")


def test_a_study_prints_one_json_document_and_writes_a_page_that_loads_nothing(folder: Path) -> None:
    done = run(folder, "initialization", "--set", "train.epochs=1", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["study"] == "initialization"
    by_name = {variant["name"]: variant for variant in document["variants"]}
    assert len(by_name) == 9
    assert "diverged" in by_name["ReLU too large"]["findings"][0]["name"]
    html = Path(document["page"]).read_bytes()
    page = Page(html)
    charts = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(charts) > 2 + 9
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    assert not [tag for tag, attributes in page.tags if tag in ("script", "img") or "src" in attributes]
    assert b"nan" not in html.replace(b"loss is nan", b"")
    for name in by_name:
        assert name in html.decode()


def test_an_interrupted_study_says_so_and_the_same_command_goes_on(folder: Path) -> None:
    # The second variant has no end, so that the study can only be interrupted.
    endless = ["--vary", f"train.epochs=1,{10**9},{10**9 + 1}", "--workers", "1"]
    for known in ("", " (trained by an earlier study)"):
        with subprocess.Popen(
            command(folder, *endless), cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            assert process.stderr is not None
            seen = ""
            while "  1/3" not in seen:
                line = process.stderr.readline()
                assert line, seen
                seen += line
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers are told, too
            rest = process.stderr.read()
            assert process.wait(60) == 130
        assert seen.endswith(f"{known}\n")
        assert ("earlier study" in seen) == bool(known)
        assert "1 of 3 variants are trained; run the same command again to go on" in rest
        assert "Traceback" not in rest


def test_a_question_that_makes_no_sense_is_one_sentence(folder: Path) -> None:
    done = run(folder)
    assert done.returncode == 1
    assert done.stderr.startswith("error: study: nothing to compare; name a study")
    assert done.stdout == ""
