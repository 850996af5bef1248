"""The wire: stubs that are fresh, load under both protobufs, and keep their numbers."""

import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from core.artifact.repository import Repository
from protos.numeral.v1 import recognizer_pb2
from tests.service.tiny_model import publish

ROOT = Path(__file__).resolve().parents[2]
PROTOBUF_7 = Path(sys.prefix) / "protobuf-7"


def round_trip(repository: Path, *paths: Path) -> str:
    """Run the round trip in a process of its own; returns the version of protobuf that it used."""
    search = os.pathsep.join(str(path) for path in (*paths, ROOT, *filter(None, [os.environ.get("PYTHONPATH")])))
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("round_trip.py"), repository],
        env=os.environ | {"PYTHONPATH": search},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def published(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    publish(Repository(str(folder), writable=True), seed=1)
    return folder


def test_stubs_and_service_work_with_the_protobuf_that_is_installed(published):
    assert round_trip(published)


def test_stubs_and_service_work_with_protobuf_7(published):
    assert PROTOBUF_7.is_dir(), (
        f"{PROTOBUF_7} is missing, the second protobuf that the stubs must load with: make setup"
    )
    assert round_trip(published, PROTOBUF_7).startswith("7.")


def test_the_stubs_are_up_to_date_with_the_proto_files():
    done = run_tool(ROOT, "--check")
    assert done.returncode == 0, done.stderr


def test_a_stale_stub_is_named(tmp_path):
    shutil.copytree(ROOT / "protos", tmp_path / "protos", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/protos.py", tmp_path / "tools")
    proto = tmp_path / "protos/numeral/v1/recognizer.proto"
    proto.write_text(proto.read_text().replace("int32 digit = 1;", "int64 digit = 1;"))
    done = run_tool(tmp_path, "--check")
    assert done.returncode != 0
    assert "protos/numeral/v1/recognizer_pb2.py is not what its .proto file gives" in done.stderr
    assert run_tool(tmp_path).returncode == 0
    assert run_tool(tmp_path, "--check").returncode == 0


def test_published_fields_keep_their_names_numbers_and_types():
    found = {
        f"{message.name}.{field.name}": (field.number, field.type)
        for message in recognizer_pb2.DESCRIPTOR.message_types_by_name.values()
        for field in message.fields
    }
    kind = recognizer_pb2.RecognizeRequest.DESCRIPTOR.fields[0]
    published = {
        "RecognizeRequest.encoded": (1, kind.TYPE_BYTES),
        "RecognizeRequest.pixels": (2, kind.TYPE_BYTES),
        "RecognizeResponse.digit": (1, kind.TYPE_INT32),
        "RecognizeResponse.probabilities": (2, kind.TYPE_FLOAT),
        "RecognizeResponse.confidence": (3, kind.TYPE_FLOAT),
        "RecognizeResponse.rejected": (5, kind.TYPE_STRING),
        "RecognizeResponse.digitness": (6, kind.TYPE_FLOAT),
        "RecognizeResponse.model_version": (10, kind.TYPE_STRING),
        "RecognizeResponse.weights_sha256": (11, kind.TYPE_STRING),
        "RecognizeManyResponse.digits": (1, kind.TYPE_MESSAGE),
        "RecognizeManyResponse.width": (2, kind.TYPE_INT32),
        "RecognizeManyResponse.height": (3, kind.TYPE_INT32),
        "FoundDigit.box": (1, kind.TYPE_MESSAGE),
        "FoundDigit.answer": (2, kind.TYPE_MESSAGE),
        "Box.left": (1, kind.TYPE_INT32),
        "Box.top": (2, kind.TYPE_INT32),
        "Box.right": (3, kind.TYPE_INT32),
        "Box.bottom": (4, kind.TYPE_INT32),
    }
    assert published.items() <= found.items()


@pytest.mark.parametrize("proto", ["numeral/v1/recognizer.proto", "inference/open_inference.proto"])
def test_every_message_field_and_call_is_commented(proto):
    lines = (ROOT / "protos" / proto).read_text().splitlines()
    declaration = re.compile(
        r"\s*(message|service|rpc|oneof|enum|((repeated|optional) |map<.*> )?[\w.]+( \w+)? = \d+;)"
    )
    declared = [(above, line) for above, line in pairwise(lines) if declaration.match(line)]
    assert len(declared) > 10
    assert [line for above, line in declared if not above.strip().startswith("//")] == []


def run_tool(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, root / "tools/protos.py", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
