"""`score`, as people call it."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from core.artifact.objects import Objects
from core.artifact.repository import Repository
from core.imaging import digit_from_bytes
from core.inference.predict import load
from core.shipped import ROOT
from pipelines.cli.commands import app
from tests.core.artifact.bucket_server import environment_of, faulty_bucket

PRETRAINED = ROOT / "pretrained"


def _run(*words: str):
    return CliRunner().invoke(app, ["score", *words])


def test_one_picture_is_read_and_the_summary_is_one_json_document(tmp_path):
    picture, table = ROOT / "examples" / "seven.png", tmp_path / "table.csv"
    done = _run(
        *(str(picture), "--output", str(table), "--repository", str(PRETRAINED)),
        *("--data-dir", str(tmp_path / "data"), "--json"),
    )
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["items"], found["read"], found["runner"], found["version"]) == (1, 1, "here", 1)
    assert found["by_digit"]["7"] == 1
    predictor, manifest = load(Repository(str(PRETRAINED)), 1)
    assert found["weights_sha256"] == manifest.files["weights.safetensors"].sha256
    source, item, digit, probability, *_ = table.read_text().splitlines()[1].split(",")
    assert (source, item, digit) == (str(picture), str(picture), "7")
    expected = predictor.probabilities(digit_from_bytes(picture.read_bytes())[None]).max()
    assert abs(float(probability) - float(expected)) < 1e-5  # six places


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        (("x.png", "--output", "t.csv"), "INPUT x.png: no such file or folder"),
        ((".", "--output", "t.xlsx"), "expected a name that ends in .csv, .jsonl or .parquet"),
        ((".", "--output", " "), "--output: found ' '"),
        ((".", "--output", "t.csv", "--version", "1", "--alias", "champion"), "choose one of them"),
        ((".", "--output", "t.csv", "--address", "tcp://x:1"), "only used with --runner dask"),
        ((".", "--output", "t.csv", "--version", "99"), "has no version 99"),
        ((".", "--output", "s3://models/t.csv"), "--output: found a URL, s3://models/t.csv, expected a path on this"),
        (
            ("s3://models/in", "--output", "t.csv"),
            "INPUT: found a URL, s3://models/in, expected a path on this machine",
        ),
        (("gs://models/*.png", "--output", "t.csv"), "only --repository may name a bucket; copy what is there with"),
        (("file:///in/x.png", "--output", "t.csv"), "found a URL, file:///in/x.png, expected a path; write /in/x.png"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(tmp_path, monkeypatch, words, finding):
    monkeypatch.chdir(tmp_path)
    done = _run(*words, "--repository", str(PRETRAINED), "--data-dir", str(tmp_path / "data"))
    assert done.exit_code == 1
    assert finding in done.stderr.replace("\n", " ")
    assert done.stdout == ""
    assert not [path for path in tmp_path.iterdir() if path.name != "data"]


def test_a_version_in_a_bucket_reads_with_any_number_of_workers_and_gives_the_same_table(tmp_path, monkeypatch):
    with faulty_bucket() as bucket:
        for name, value in environment_of(bucket).items():
            monkeypatch.setenv(name, value)
        store = Objects("s3://models/digits", writable=True)
        for file in sorted(path for path in (PRETRAINED / "mnist").rglob("*") if path.is_file()):
            assert store.create(str(file.relative_to(PRETRAINED)), file.read_bytes())

        def table(repository, *words):
            output = tmp_path / f"{len(list(tmp_path.iterdir()))}.csv"
            given = ("--output", str(output), "--repository", repository, "--data-dir", str(tmp_path / "data"))
            done = _run(*[str(ROOT / "examples" / "seven.png")] * 300, *given, *words)  # three parts
            assert done.exit_code == 0, done.stderr
            return output.read_bytes()

        expected = table(str(PRETRAINED))
        assert table("s3://models/digits") == expected
        assert table("s3://models/digits", "--workers", "2") == expected


def test_help_loads_neither_the_network_nor_any_heavy_library():
    code = (
        "import sys; from typer.testing import CliRunner; from pipelines.cli.commands import app\n"
        "assert CliRunner().invoke(app, ['score', '--help']).exit_code == 0\n"
        "print({'pyarrow', 'distributed', 'prefect', 'pipelines.score.score_job'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
